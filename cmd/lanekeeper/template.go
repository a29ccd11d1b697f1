package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"

	"lanekeeper/bridge"
	"lanekeeper/bridge/whatsapp"
	"lanekeeper/config"
)

var templateName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)

// templates has the template approved that wakes an agent whose window is closed, and
// writes its id into the config.
func templates(ctx context.Context, file *config.File, o *options, stdout io.Writer) error {
	if len(o.words) != 2 || o.words[0] != "template" {
		return fail(exitFailed, "lanekeeper whatsapp: say `template submit`, `template status` or `template use`; see lanekeeper -h")
	}
	if !templateName.MatchString(o.name) {
		return fail(exitFailed, "%q is no name for a template: WhatsApp takes small letters, digits and _.", o.name)
	}
	if !file.Config.WhatsApp.Enabled {
		return fail(exitConfig, "%s: whatsapp.enabled is false: set it to true, with your account's values, to have a template there.", o.config)
	}
	client, err := whatsapp.New(bridge.TwilioConfig(file.Config))
	if err != nil {
		return fail(exitConfig, "%s: %v", o.config, err)
	}
	k := templating{client: client, file: file, o: o, out: stdout}
	switch o.words[1] {
	case "submit":
		err = k.submit(ctx)
	case "status":
		err = k.status(ctx)
	case "use":
		err = k.use(ctx)
	default:
		return fail(exitFailed, "there is no `lanekeeper whatsapp template %s`%s", o.words[1], config.Suggest(o.words[1], []string{"submit", "status", "use"}))
	}
	var refused *whatsapp.Error
	if errors.As(err, &refused) {
		return fail(exitFailed, "%v.", refused)
	}
	return err
}

type templating struct {
	client *whatsapp.Client
	file   *config.File
	o      *options
	out    io.Writer
}

func (k *templating) say(format string, args ...any) { fmt.Fprintf(k.out, format+"\n", args...) }

// again is this command line with another last word.
func (k *templating) again(what string) string {
	name := ""
	if k.o.name != "lanekeeper_waiting" {
		name = " --name " + k.o.name
	}
	return fmt.Sprintf("`lanekeeper whatsapp template %s -c %s%s`", what, k.o.config, name)
}

// submit goes on where an earlier try ended: it makes nothing twice.
func (k *templating) submit(ctx context.Context) error {
	t, err := k.client.FindTemplate(ctx, k.o.name)
	if err == nil && t.SID == "" {
		t, err = k.client.CreateTemplate(ctx, k.o.name, k.o.language)
	}
	if err != nil {
		return err
	}
	if t.State == "unsubmitted" {
		t.Name = k.o.name
		if t, err = k.client.SubmitTemplate(ctx, t); err != nil {
			return err
		}
	}
	k.say("%s, %s: %q with the buttons Show and Not me.", k.o.name, t.SID, whatsapp.WakeText)
	_ = k.told(t) // that it is not approved yet is no failure of this command
	return nil
}

// status fails while the template cannot be used, so that scripts can wait for it.
func (k *templating) status(ctx context.Context) error {
	if sid := k.file.Config.WhatsApp.TemplateSID; sid != "" {
		t, err := k.client.FetchTemplate(ctx, sid)
		var refused *whatsapp.Error
		switch {
		case errors.As(err, &refused) && refused.HTTPStatus == http.StatusNotFound:
			return fail(exitFailed, "whatsapp.template_sid is %s, but Twilio has no such template in this account: see %s.", sid, k.again("submit"))
		case err != nil:
			return err
		case t.Approved():
			k.say("%s (%s) is approved and in use: whatsapp.template_sid names it.", t.Name, sid)
			return nil
		}
		return k.told(t)
	}
	t, err := k.find(ctx)
	if err != nil {
		return err
	}
	return k.told(t)
}

func (k *templating) find(ctx context.Context) (whatsapp.Template, error) {
	t, err := k.client.FindTemplate(ctx, k.o.name)
	if err == nil && t.SID == "" {
		err = fail(exitFailed, "Twilio has no template of the name %s: have it approved by %s.", k.o.name, k.again("submit"))
	}
	return t, err
}

// told says how far WhatsApp is, and what to do; nil if the template can be used.
func (k *templating) told(t whatsapp.Template) error {
	switch t.State {
	case "approved":
		k.say("WhatsApp has approved it. Take it into use: %s.", k.again("use"))
		return nil
	case "unsubmitted":
		return fail(exitFailed, "WhatsApp has not been asked about it: %s.", k.again("submit"))
	case "received", "pending":
		k.say("WhatsApp looks at it, mostly within an hour, at most two days. Ask again: %s.", k.again("status"))
	case "rejected":
		k.say("WhatsApp has rejected it: %s. That name cannot be used again: submit it with --name and another one.", t.Reason)
	default:
		k.say("WhatsApp has it as %s, so nothing is sent with it. Twilio's console says why.", t.State)
	}
	return fail(exitFailed, "")
}

// use writes the id of an approved template into the config.
func (k *templating) use(ctx context.Context) error {
	t, err := k.find(ctx)
	if err != nil {
		return err
	}
	if !t.Approved() {
		return k.told(t)
	}
	const key = "LANEKEEPER_WHATSAPP_TEMPLATE_SID"
	switch {
	case k.file.Config.WhatsApp.TemplateSID == t.SID:
		k.say("whatsapp.template_sid is %s already.", t.SID)
		return nil
	case os.Getenv(key) != "" || os.Getenv(key+"_FILE") != "":
		return fail(exitFailed, "The environment sets %s, which wins over the config: put %s there.", key, t.SID)
	case k.o.noUpdate:
		return fail(exitFailed, "-n forbids to write %s: set whatsapp.template_sid to %s.", k.o.config, t.SID)
	}
	if err := k.file.Set("whatsapp.template_sid", t.SID); err != nil {
		return fail(exitConfig, "%v. Set whatsapp.template_sid to %s by hand.", err, t.SID)
	}
	k.say("Wrote whatsapp.template_sid: %s into %s. Restart Lanekeeper.", t.SID, k.o.config)
	return nil
}
