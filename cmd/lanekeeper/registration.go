package main

import (
	"errors"
	"fmt"
	"os"

	"gopkg.in/yaml.v3"

	"lanekeeper/bridge"
	"lanekeeper/bridge/matrix"
	"lanekeeper/config"
)

const registrationHead = `# Registration of Lanekeeper, for the homeserver. Made by "lanekeeper -g": change
# the config and make it again, instead of editing it.
#
# Synapse: name this file under app_service_config_files in homeserver.yaml.
# Dendrite: name it under app_service_api.config_files in dendrite.yaml.
# Then restart the homeserver. Keep the file secret: its tokens are passwords.

`

// registration is the file for the homeserver.
func registration(cfg *config.Config) ([]byte, error) {
	text, err := matrix.Registration(bridge.MatrixConfig(cfg), cfg.AppService.Address, cfg.AppService.EphemeralEvents)
	return append([]byte(registrationHead), text...), err
}

// writeRegistration writes the file, over an earlier one of the same bridge only.
// The errors are sentences for the operator.
func writeRegistration(cfg *config.Config, path string) error {
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("The registration cannot be read (%s): name another file with -r.", config.Reason(err))
	case registrationID(old) != cfg.AppService.ID:
		return fmt.Errorf("%s exists already and is not the registration of %s: name another file with -r, or remove it.", path, cfg.AppService.ID)
	}
	text, err := registration(cfg)
	if err != nil {
		return err
	}
	if err = os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("The registration cannot be written (%s): name another file with -r.", config.Reason(err))
	}
	return nil
}

func registrationID(text []byte) string {
	var head struct{ ID string }
	if yaml.Unmarshal(text, &head) != nil {
		return ""
	}
	return head.ID
}
