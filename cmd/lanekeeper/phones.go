package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/config"
)

const exitListen = 14

// phones runs Twilio's stand-in and the page with the agents' phones until ctx ends,
// for a bridge that the same config starts.
func phones(ctx context.Context, cfg *config.Config, path string, stdout io.Writer) error {
	if wrong := notForPhones(cfg); len(wrong) > 0 {
		return fail(exitConfig, "%s", path+": "+strings.Join(wrong, "\n"+path+": "))
	}
	base, err := url.Parse(cfg.WhatsApp.APIBaseURL)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", base.Host)
	if err != nil {
		return fail(exitListen, "Cannot listen on %s (%v): give whatsapp.api_base_url a port that is free, or stop what listens there.", base.Host, err)
	}
	stand := emulator.New(ctx, standIn(cfg))
	defer stand.Close()
	server := &http.Server{Handler: stand.Handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	introduce(cfg, stdout)
	select {
	case err := <-ended:
		return fmt.Errorf("phones: %w", err)
	case <-ctx.Done():
		return server.Close()
	}
}

// notForPhones says what in a config, which is valid for a bridge, leaves no place
// for a stand-in: it must not be reached from other computers, nor take the place of
// the real Twilio by mistake.
func notForPhones(cfg *config.Config) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	const example = "http://127.0.0.1:29350"
	w := cfg.WhatsApp
	if !w.Enabled {
		say("whatsapp.enabled is false, so Lanekeeper would send nothing to the phones: set it to true.")
	}
	base, err := url.Parse(w.APIBaseURL)
	switch port := cmp.Or(base, &url.URL{}).Port(); {
	case w.APIBaseURL == "":
		say("whatsapp.api_base_url is empty, so Lanekeeper sends to the real Twilio: set it to %s, where the phones then are, and restart Lanekeeper.", example)
	case err != nil || base.Scheme != "http" || port == "" || base.Path != "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil:
		say("whatsapp.api_base_url is %q, but for the phones it must be http, an address of this computer, and a port, such as %s.", w.APIBaseURL, example)
	case !loopback(base.Hostname()):
		say("whatsapp.api_base_url is %q, but the phones are for this computer only: make it %s.", w.APIBaseURL, "http://127.0.0.1:"+port)
	case port == strconv.Itoa(cfg.AppService.Port):
		say("whatsapp.api_base_url has the port of Lanekeeper itself (appservice.port): give it another one, such as %s.", example)
	}
	if len(w.Agents) == 0 {
		say(`whatsapp.agents is empty, so there would be no phones: add somebody, such as {number: "+4930901820", name: Dana}.`)
	}
	return wrong
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// standIn is Twilio as the config describes it. Webhooks are signed for the public
// address, as Twilio does, and go straight to where Lanekeeper listens: nothing has
// to lead from the internet to this computer.
func standIn(cfg *config.Config) emulator.Config {
	w := cfg.WhatsApp
	out := emulator.Config{
		AccountSID: w.AccountSID, AuthToken: w.AuthToken, APIKey: w.APIKey, APISecret: w.APISecret,
		From: w.From, Template: w.TemplateSID, Business: cfg.AppService.Bot.Displayname,
		Public: cfg.AppService.PublicAddress, Deliver: cfg.AppService.Here(), Address: w.APIBaseURL,
	}
	for _, a := range w.Agents {
		out.Phones = append(out.Phones, emulator.Phone{Number: a.Number, Name: a.Name})
	}
	return out
}

// introduce says what this is and how to begin.
func introduce(cfg *config.Config, stdout io.Writer) {
	var names []string
	for _, a := range cfg.WhatsApp.Agents {
		names = append(names, a.Name)
	}
	fmt.Fprintf(stdout, `This is a stand-in for Twilio and WhatsApp. No message leaves this computer, and nothing is kept.

  Phones      %s/   (%s)
  Lanekeeper  %s   (start it with the same config)

`, cfg.WhatsApp.APIBaseURL, strings.Join(names, ", "), cfg.AppService.Here())
	if cfg.WhatsApp.TemplateSID == "" {
		fmt.Fprint(stdout, `  Write anything on a phone first: a business may write to a phone only within 24 hours of what
  the phone wrote. With a whatsapp.template_sid (any HX and 32 digits here) it can be woken, too.

`)
	}
	fmt.Fprint(stdout, `  Then ask: put 🙋 on a message of yours in a customer lane, or write human and a question to the bot.
  For the real WhatsApp later: empty whatsapp.api_base_url, and give Twilio's values.

  Ctrl-C stops it.
`)
}
