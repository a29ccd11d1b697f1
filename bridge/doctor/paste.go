package doctor

import (
	"fmt"
	"os"
	"path/filepath"

	"lanekeeper/bridge"
	"lanekeeper/bridge/whatsapp"
)

// paste prints what belongs elsewhere: addresses for Twilio, YAML for Synapse. It comes
// first, so that what is wrong stands last.
func (x *examination) paste() {
	fmt.Fprintf(x.out, "For Synapse, in homeserver.yaml; restart it then:\n\n")
	fmt.Fprintf(x.out, "    app_service_config_files:\n      - %s\n    max_upload_size: 25M\n", x.registration())
	fmt.Fprintf(x.out, "    experimental_features:\n      msc2409_to_device_messages_enabled: true\n      msc3202_transaction_extensions: true\n")
	fmt.Fprintf(x.out, "\nFor Dendrite, in dendrite.yaml, the same path in app_service_api.config_files.\n")
	if client, err := whatsapp.New(bridge.TwilioConfig(x.cfg)); err == nil && x.cfg.WhatsApp.Enabled {
		fmt.Fprintf(x.out, "\nFor Twilio (Messaging > Senders > WhatsApp senders, or the sandbox settings), both with POST:\n\n")
		fmt.Fprintf(x.out, "    When a message comes in   %s\n    Status callback URL       %s\n", client.InboundURL(), client.StatusURL())
	}
	fmt.Fprintln(x.out)
}

// registration is where the homeserver finds it, if it can read it where it was written.
func (x *examination) registration() string {
	if _, err := os.Stat(x.files.Registration); err == nil {
		if path, err := filepath.Abs(x.files.Registration); err == nil {
			return path
		}
	}
	return "/path/to/registration.yaml   # that lanekeeper -g writes"
}
