package text

import (
	"fmt"
	"time"
)

// What staff read about those who answer on WhatsApp.

// AgentRow is an agent in a list.
type AgentRow struct {
	Number, Name    string
	Stopped, Paused bool
	Until           time.Time // of the pause; zero: it has no end
	Open            bool      // they wrote in the last 24 hours
}

// AgentsForStaff answers `agent list`.
func AgentsForStaff(list []AgentRow) Words {
	if len(list) == 0 {
		return Sentence("Nobody answers on WhatsApp. `agent add +4915112345678 Dana` adds somebody.")
	}
	var lines []Words
	for _, a := range list {
		state := "no message for 24 hours: a template comes first"
		switch {
		case a.Stopped:
			state = "sent STOP: gets nothing until START"
		case a.Paused:
			state = "paused" + untilTime(a.Until)
		case a.Open:
			state = "can be written to"
		}
		lines = append(lines, Say("%s · %s · %s", a.Name, a.Number, state))
	}
	return Join(lines...)
}

func untilTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(" until 2 January, 15:04 UTC")
}

// AgentAddedForStaff answers `agent add`.
func AgentAddedForStaff(name string) Words {
	return Say("%s is asked on WhatsApp from the next question on. They should write to our number once, so that they can be written to at once.", name)
}

// AgentRemovedForStaff answers `agent remove`.
func AgentRemovedForStaff(name string) Words {
	return Say("%s is no longer asked on WhatsApp. What they were answering can be taken over.", name)
}

// AgentPausedForStaff answers `agent pause`.
func AgentPausedForStaff(name string, until time.Time) Words {
	return Say("%s is asked nothing new%s. What they are answering goes on.", name, untilTime(until))
}

// AgentResumedForStaff answers `agent resume`.
func AgentResumedForStaff(name string, changed bool) Words {
	if !changed {
		return Say("%s isn't paused.", name)
	}
	return Say("%s is asked again, from the next question on.", name)
}

// AgentsHereForStaff refuses `agent` outside of the super-admin room.
func AgentsHereForStaff() string {
	return "Agents are changed in the super-admin room, so that numbers stand nowhere else."
}

// NoWhatsAppForStaff refuses it where WhatsApp is off.
func NoWhatsAppForStaff() string { return "WhatsApp is off here (whatsapp.enabled)." }

// NoPhoneForStaff asks for a number.
func NoPhoneForStaff() string {
	return "Please give a phone number with + and country code, such as +4915112345678, and then a name."
}

// AgentNameForStaff asks for a name.
func AgentNameForStaff() string { return "Please give the name that askers shall read, too." }

// OwnNumberForStaff refuses our own number.
func OwnNumberForStaff() string { return "That's the number I send from myself." }

// AgentKnownForStaff refuses an agent who is one.
func AgentKnownForStaff(name string) string {
	return fmt.Sprintf("%s is an agent with that already.", name)
}

// NotTheirPhoneForStaff refuses to bind a phone to a person.
func NotTheirPhoneForStaff() string {
	return "With --mxid you can name yourself; a super-admin can name anybody who may answer questions. Without it, the agent is added by number and name alone."
}

// ManyAgentsForStaff refuses one more.
func ManyAgentsForStaff(most int) string {
	return fmt.Sprintf("There are %d agents, and each question goes to all of them. Please remove one first.", most)
}

// NoAgentForStaff says that nobody is meant.
func NoAgentForStaff() string {
	return "No agent has that number or name. `agent list` shows them all."
}

// ManyOfThatNameForStaff says that several are meant.
func ManyOfThatNameForStaff() string { return "Several agents have that name. Please give the number." }
