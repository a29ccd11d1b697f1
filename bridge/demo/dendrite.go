package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"lanekeeper/bridge/matrix"
)

// dendriteConfig is made for a start that is fast and a stop that keeps nothing:
// see Dendrite's dendrite-sample.yaml.
const dendriteConfig = `version: 2
global:
  server_name: %[1]s
  private_key: %[2]s/matrix_key.pem
  disable_federation: true
  cache: {max_size_estimated: 64mb, max_age: 1h}
  jetstream: {in_memory: true, storage_path: %[2]s/nats}
app_service_api: {config_files: [%[2]s/registration.yaml]}
client_api:
  registration_disabled: true
  guests_disabled: true
  registration_shared_secret: %[3]q
  rate_limiting: {enabled: false, threshold: 20, cooloff_ms: 500, exempt_user_ids: []}
federation_api: {key_perspectives: [], database: {connection_string: "file:%[2]s/federationapi.db"}}
key_server: {database: {connection_string: "file:%[2]s/keyserver.db"}}
media_api:
  base_path: %[2]s/media
  max_file_size_bytes: 26214400
  database: {connection_string: "file:%[2]s/mediaapi.db"}
mscs: {mscs: [], database: {connection_string: "file:%[2]s/mscs.db"}}
relay_api: {database: {connection_string: "file:%[2]s/relayapi.db"}}
room_server: {database: {connection_string: "file:%[2]s/roomserver.db"}}
sync_api:
  search: {enabled: false, index_path: %[2]s/search, language: en}
  database: {connection_string: "file:%[2]s/syncapi.db"}
user_api: {bcrypt_cost: 4, account_database: {connection_string: "file:%[2]s/userapi_accounts.db"}}
logging: [{type: std, level: warn}]
`

// stopHomeserver is how long Dendrite gets to end by itself.
const stopHomeserver = 3 * time.Second

// runHomeserver runs Dendrite until ctx ends.
func (w *world) runHomeserver(ctx context.Context, program string) error {
	if err := w.writeHomeserver(); err != nil {
		return fmt.Errorf("homeserver: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(w.dir, "dendrite.log"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("homeserver: %w", err)
	}
	defer func() { _ = log.Close() }()
	address, err := url.Parse(w.homeserver)
	if err != nil {
		return fmt.Errorf("homeserver: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, "--config", "dendrite.yaml", "--http-bind-address", address.Host)
	cmd.Dir, cmd.Env = w.dir, withoutProxies(os.Environ())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = child()
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(syscall.SIGTERM) }, stopHomeserver
	// Where the kernel ends the child with its parent, the parent is the thread that
	// started it (prctl(2), PR_SET_PDEATHSIG): it has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the homeserver %s has ended (%v); the end of its log: %s", program, err, tail(log.Name()))
}

// withoutProxies keeps the homeserver from asking a proxy for addresses on this
// computer.
func withoutProxies(env []string) (clean []string) {
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			clean = append(clean, kv)
		}
	}
	return clean
}

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-5):], []byte("\n")))
}

// writeHomeserver writes everything that Dendrite reads.
func (w *world) writeHomeserver() error {
	registration, err := matrix.Registration(matrix.Config{
		Domain: domain, ID: w.cfg.AppService.ID, ASToken: w.cfg.AppService.ASToken, HSToken: w.cfg.AppService.HSToken,
		BotLocalpart: w.cfg.AppService.Bot.Username, GhostPrefix: w.cfg.GhostPrefix(),
	}, w.cfg.AppService.Address, w.cfg.AppService.EphemeralEvents)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"registration.yaml": registration,
		"dendrite.yaml":     fmt.Appendf(nil, dendriteConfig, domain, w.dir, w.secret),
		"matrix_key.pem":    signingKey(),
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// signingKey makes the server's ed25519 key as Dendrite reads it: the seed, with
// the key's name as a header (its setup/config/config.go, readKeyPEM).
func signingKey() []byte {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails
	return pem.EncodeToMemory(&pem.Block{Type: "MATRIX PRIVATE KEY", Headers: map[string]string{"Key-ID": "ed25519:demo"}, Bytes: seed})
}
