package lab

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lanekeeper/bridge/lab/postgres"
)

// signingKey is the same for every Synapse here: nothing is federated, and a database prepared by one serves the next.
const signingKey = "ed25519 a_test bGFuZWtlZXBlciBsYW5la2VlcGVyIGxhbmVrZWVwZXI\n"

const synapseLog = `version: 1
formatters: {line: {format: '%(asctime)s %(levelname)s %(name)s %(message)s'}}
handlers: {out: {class: logging.StreamHandler, formatter: line}}
root: {level: WARNING, handlers: [out]}
loggers: # clients and bridges that are gone are no news here, and several application services share the names of their metrics
  synapse.http.server: {level: ERROR}
  synapse.appservice.api: {level: ERROR}
  synapse.util.metrics: {level: CRITICAL}
disable_existing_loggers: false
`

// synapseConfig has no limits on rates, as people in tests type faster than people. It switches on what the bridge uses where
// it is there: to-device messages and key counts for application services (MSC2409, MSC3202) and delayed events (MSC4140).
// The cache of initial syncs is off because it repeats stale answers for two minutes.
const synapseConfig = `server_name: %[1]s
public_baseurl: %[2]s/
pid_file: %[3]s/synapse.pid
signing_key_path: %[3]s/signing.key
log_config: %[3]s/log.yaml
media_store_path: %[3]s/media
max_upload_size: 50M
report_stats: false
trusted_key_servers: []
suppress_key_server_warning: true
federation_domain_whitelist: []
registration_shared_secret: %[4]q
macaroon_secret_key: macaroon
form_secret: form
enable_registration: false
bcrypt_rounds: 4
url_preview_enabled: false
presence: {enabled: false}
caches: {sync_response_cache_duration: 0s}
max_event_delay_duration: 24h
app_service_config_files: %[5]s
experimental_features: {msc2409_to_device_messages_enabled: true, msc3202_transaction_extensions: true}
listeners:
  - port: %[6]d
    type: http
    tls: false
    bind_addresses: ["127.0.0.1"]
    resources: [{names: [client, openid], compress: false}]
database: %[7]s
rc_message: &many {per_second: 10000, burst_count: 10000}
rc_registration: *many
rc_registration_token_validity: *many
rc_login: {address: *many, account: *many, failed_attempts: *many}
rc_admin_redaction: *many
rc_joins: {local: *many, remote: *many}
rc_joins_per_room: *many
rc_key_requests: *many
rc_3pid_validation: *many
rc_third_party_invite: *many
rc_invites: {per_room: *many, per_user: *many, per_issuer: *many}
rc_room_creation: *many
rc_media_create: *many
rc_presence: {per_user: *many}
rc_delayed_event_mgmt: *many
rc_reports: *many
rc_user_directory: *many
rc_profile: *many
`

func prepareSynapse(t T, hs *Homeserver) {
	t.Helper()
	python := hs.options.Program
	if python == "" {
		if shortRun() {
			t.Skip("Synapse is not part of -short runs")
		}
		python = cached(t, "venv/bin/python", "Synapse")
	}
	database := fmt.Sprintf("{name: sqlite3, args: {database: %s/homeserver.db}}", hs.Dir)
	switch {
	case hs.options.Postgres:
		database = synapsePostgres(t)
	case hs.options.Program == "":
		copyPreparedDatabase(t, hs, python)
	}
	hs.write("signing.key", signingKey)
	hs.write("log.yaml", synapseLog)
	hs.argv = []string{python, "-m", "synapse.app.homeserver", "-c", "config.yaml"}
	if hs.options.PythonPath != "" {
		hs.env = []string{"PYTHONPATH=" + hs.options.PythonPath}
	}
	hs.health = "/health" // the port opens only when it is ready
	hs.config = func(registrations string) string {
		config := fmt.Sprintf(synapseConfig, hs.Domain, hs.URL, hs.Dir, hs.secret, registrations, hs.port, database)
		if hs.options.RoomVersion != "" {
			config += fmt.Sprintf("default_room_version: %q\n", hs.options.RoomVersion)
		}
		return config
	}
}

// synapsePostgres is the database section for a new database of the tests' PostgreSQL server.
func synapsePostgres(t T) string {
	t.Helper()
	uri, err := url.Parse(postgres.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := uri.User.Password()
	return fmt.Sprintf("{name: psycopg2, args: {user: %q, password: %q, dbname: %q, host: %q, port: %q, cp_min: 1, cp_max: 10}}",
		uri.User.Username(), password, strings.TrimPrefix(uri.Path, "/"), uri.Hostname(), uri.Port())
}

// synapseDatabase has, by path, what makes an empty database of the installed version, once: to start on a copy of it takes
// half as long as to create every table anew.
var synapseDatabase sync.Map // path → func()

// copyPreparedDatabase puts the prepared database into the server's directory.
func copyPreparedDatabase(t T, hs *Homeserver, python string) {
	t.Helper()
	version, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(python)), "version")) // written by tools/setup.sh
	if err != nil {
		return
	}
	path := filepath.Join(cacheDir(), "synapse-"+strings.Join(strings.Fields(string(version)), "-")+".db")
	makeDatabase, _ := synapseDatabase.LoadOrStore(path, sync.OnceFunc(func() { prepareDatabase(t, python, path) }))
	makeDatabase.(func())()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Logf("starting Synapse on an empty database: %v", err)
		return
	}
	hs.write("homeserver.db", string(raw))
}

// prepareDatabase lets a Synapse make its tables and puts the result at path. Two test binaries may do it at the same time;
// the rename makes that harmless.
func prepareDatabase(t T, python, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	hs := &Homeserver{Kind: KindSynapse, Domain: Domain, Dir: t.TempDir(), t: t, port: freePort(t), health: "/health"}
	hs.URL = fmt.Sprintf("http://127.0.0.1:%d", hs.port)
	hs.write("signing.key", signingKey)
	hs.write("log.yaml", synapseLog)
	hs.argv = []string{python, "-m", "synapse.app.homeserver", "-c", "config.yaml"}
	hs.config = func(registrations string) string {
		return fmt.Sprintf(synapseConfig, hs.Domain, hs.URL, hs.Dir, hs.secret, registrations, hs.port,
			fmt.Sprintf("{name: sqlite3, args: {database: %s/homeserver.db}}", hs.Dir))
	}
	hs.Start()
	if err := hs.process().stop(15 * time.Second); err != nil {
		t.Error(err)
		return
	}
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	raw, err := os.ReadFile(filepath.Join(hs.Dir, "homeserver.db"))
	if err == nil {
		err = os.WriteFile(temporary, raw, 0o600)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		t.Logf("keeping Synapse's empty database: %v", err)
	}
}
