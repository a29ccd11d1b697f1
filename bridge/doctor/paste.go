package doctor

import (
	"fmt"

	"lanekeeper/bridge"
	"lanekeeper/bridge/whatsapp"
)

// paste prints what belongs elsewhere: addresses for Twilio, YAML for Synapse.
func (x *examination) paste() {
	fmt.Fprintf(x.out, "\nInto Synapse's homeserver.yaml, with the path of the registration that lanekeeper -g wrote; then restart Synapse:\n\n")
	fmt.Fprintf(x.out, "    app_service_config_files:\n      - /path/to/registration.yaml\n    max_upload_size: 25M\n")
	fmt.Fprintf(x.out, "    experimental_features:\n      msc2409_to_device_messages_enabled: true\n      msc3202_transaction_extensions: true\n")
	fmt.Fprintf(x.out, "\nFor Dendrite, the path goes into app_service_api.config_files of dendrite.yaml.\n")
	if !x.cfg.WhatsApp.Enabled {
		return
	}
	client, err := whatsapp.New(bridge.TwilioConfig(x.cfg))
	if err != nil {
		return
	}
	fmt.Fprintf(x.out, "\nInto Twilio (Messaging > Senders > WhatsApp senders, or the sandbox settings), both with POST:\n\n")
	fmt.Fprintf(x.out, "    When a message comes in   %s\n    Status callback URL       %s\n", client.InboundURL(), client.StatusURL())
}
