package lab_test

import (
	"net/http"
	"testing"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// Both homeservers take the registration that the bridge writes: the bot can be registered and speak with its token.
func TestRegistration(t *testing.T) {
	labtest.EachServer(t, lab.Options{}, func(t *testing.T, hs *lab.Homeserver) {
		b := lab.PrepareBridge(t, hs, lab.BridgeOptions{})
		hs.SetRegistration(b.Generate())
		hs.Restart()
		bot := b.AsBot()
		r := bot.Do(http.MethodPost, "/register", map[string]any{
			"type": "m.login.application_service", "username": "lanekeeper", "inhibit_login": true,
		})
		if !r.OK() {
			t.Fatal(r)
		}
		room := bot.CreateRoom(map[string]any{"room_version": "10"})
		bot.Text(room, "I am here.")
		if m := bot.Members(room); m[b.Bot()] != "join" {
			t.Errorf("members: %v", m)
		}
	})
}
