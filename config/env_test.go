package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestVariablesWin(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	given, err := parse("config.yaml", file("database: {uri: lane.db}"), []string{
		"LANEKEEPER_DATABASE_URI=other.db",
		"LANEKEEPER_APPSERVICE_PORT=8080",
		"LANEKEEPER_APPSERVICE_BOT_DISPLAYNAME=true", // a text, whatever it looks like
		"LANEKEEPER_WHATSAPP_AUTH_TOKEN_FILE=" + secret,
		"LANEKEEPER_WHATSAPP_PACE_EVERY=3s",
		"LANEKEEPER_METRICS_ENABLED=true",
		"LANEKEEPER_ROOMS_VERSION=11",
		"LANEKEEPER_LOGGING_MIN_LEVEL=debug",
		"LANEKEEPER_TEST_POSTGRES=ignored", // not ours
		"LANEKEEPER_SERVICE_HOST=10.0.0.1", // Kubernetes
		"LANEKEEPER_PORT=tcp://10.0.0.1:29340",
		"HOME=/",
	})
	if err != nil {
		t.Fatal(err)
	}
	c := given.Config
	for name, ok := range map[string]bool{
		"database.uri":               c.Database.URI == "other.db",
		"appservice.port":            c.AppService.Port == 8080,
		"appservice.bot.displayname": c.AppService.Bot.Displayname == "true",
		"whatsapp.auth_token":        c.WhatsApp.AuthToken == "from a file",
		"whatsapp.pace.every":        c.WhatsApp.Pace.Every == 3*time.Second,
		"metrics.enabled":            c.Metrics.Enabled,
		"rooms.version":              c.Rooms.Version == "11",
		"logging.min_level":          c.Logging.MinLevel.String() == "debug",
		"homeserver.domain":          c.Homeserver.Domain == "lab.test", // from the file
	} {
		if !ok {
			t.Errorf("%s: got %+v", name, c)
		}
	}
}

func TestVariablesThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		given string
		env   []string
		want  string
	}{
		{"", []string{"LANEKEEPER_DATABASE_URL=x"},
			`environment: LANEKEEPER_DATABASE_URL is no variable of the configuration (did you mean "LANEKEEPER_DATABASE_URI"?): correct or unset it.`},
		{"", []string{"LANEKEEPER_GATE_TOKEN_FILE=/nosuch"},
			"environment: LANEKEEPER_GATE_TOKEN_FILE names a file that cannot be read (/nosuch: no such file or directory): correct the path or unset it."},
		{"", []string{"LANEKEEPER_GATE_TOKEN=x", "LANEKEEPER_GATE_TOKEN_FILE=/dev/null"},
			"environment: LANEKEEPER_GATE_TOKEN_FILE and LANEKEEPER_GATE_TOKEN set the same key: unset one of them."},
		{"", []string{"LANEKEEPER_METRICS_ENABLED=maybe"},
			`LANEKEEPER_METRICS_ENABLED: metrics.enabled is "maybe", but must be true or false.`},
		{"", []string{"LANEKEEPER_METRICS_PORT="},
			`LANEKEEPER_METRICS_PORT: metrics.port is empty, but must be a whole number.`},
		{"gate: x", []string{"LANEKEEPER_GATE_TOKEN=x"},
			"environment: LANEKEEPER_GATE_TOKEN cannot be used, because gate is no group of keys in the file.\n" +
				`config.yaml:1: gate is the text "x", but must be a group of keys.`},
	} {
		if _, err := parse("config.yaml", file(c.given), c.env); err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", c.env, err, c.want)
		}
	}
}
