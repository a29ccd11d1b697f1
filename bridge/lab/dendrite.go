package lab

import (
	"crypto/rand"
	"encoding/pem"
	"fmt"
)

// dendritePragmas stand behind every database file. A write-ahead log without waiting for the disk is twice as fast, and safe
// against kill -9 of a process. Dendrite drops the query of such an address, but not a question mark that is escaped.
const dendritePragmas = "%3f_pragma=journal_mode(wal)%26_pragma=synchronous(off)"

// dendriteConfig: see Dendrite's dendrite-sample.yaml. Its internal queue is in memory, which starts faster; see
// Homeserver.Kill9 for what that costs.
const dendriteConfig = `version: 2
global:
  server_name: %[1]s
  private_key: %[2]s/matrix_key.pem
  disable_federation: true
  cache: {max_size_estimated: 64mb, max_age: 1h}
  jetstream: {in_memory: true, storage_path: %[2]s/nats}
app_service_api: {config_files: %[4]s}
client_api:
  registration_disabled: true
  guests_disabled: true
  registration_shared_secret: %[3]q
  rate_limiting: {enabled: false, threshold: 20, cooloff_ms: 500, exempt_user_ids: []}
federation_api: {key_perspectives: [], database: {connection_string: "file:%[2]s/federationapi.db%[6]s"}}
key_server: {database: {connection_string: "file:%[2]s/keyserver.db%[6]s"}}
media_api:
  base_path: %[2]s/media
  max_file_size_bytes: 52428800
  database: {connection_string: "file:%[2]s/mediaapi.db%[6]s"}
mscs: {mscs: [], database: {connection_string: "file:%[2]s/mscs.db%[6]s"}}
relay_api: {database: {connection_string: "file:%[2]s/relayapi.db%[6]s"}}
room_server:
  database: {connection_string: "file:%[2]s/roomserver.db%[6]s"}
%[5]ssync_api:
  search: {enabled: false, index_path: %[2]s/search, language: en}
  database: {connection_string: "file:%[2]s/syncapi.db%[6]s"}
user_api: {bcrypt_cost: 4, account_database: {connection_string: "file:%[2]s/userapi_accounts.db%[6]s"}}
logging: [{type: std, level: warn}]
`

func prepareDendrite(t T, hs *Homeserver) {
	t.Helper()
	dendrite := hs.options.Program
	if dendrite == "" {
		dendrite = cached(t, "bin/dendrite", "Dendrite")
	}
	hs.write("matrix_key.pem", string(dendriteKey()))
	hs.argv = []string{dendrite, "--config", "config.yaml", "--http-bind-address", fmt.Sprintf("127.0.0.1:%d", hs.port)}
	hs.health = "/_matrix/client/versions"
	hs.config = func(registrations string) string {
		version := ""
		if hs.options.RoomVersion != "" {
			version = fmt.Sprintf("  default_room_version: %q\n", hs.options.RoomVersion)
		}
		return fmt.Sprintf(dendriteConfig, hs.Domain, hs.Dir, hs.secret, registrations, version, dendritePragmas)
	}
}

// dendriteKey makes the server's ed25519 key as Dendrite reads it: the seed, with the key's name as a header (its
// setup/config/config.go, readKeyPEM).
func dendriteKey() []byte {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails
	return pem.EncodeToMemory(&pem.Block{Type: "MATRIX PRIVATE KEY", Headers: map[string]string{"Key-ID": "ed25519:lab"}, Bytes: seed})
}
