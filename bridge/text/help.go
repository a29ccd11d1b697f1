package text

import (
	"slices"
	"strings"
)

// Topic groups commands in help.
type Topic string

// The topics, as help orders them.
const (
	TopicAsk       Topic = "Ask"
	TopicPeople    Topic = "People and access"
	TopicProjects  Topic = "Projects"
	TopicQuestions Topic = "Questions"
	TopicOther     Topic = "Other"
)

var topics = []Topic{TopicAsk, TopicPeople, TopicProjects, TopicQuestions, TopicOther}

// CommandHelp is what people read of one command.
type CommandHelp struct {
	Name    string
	Usage   string // what is typed after the name
	Does    string // one line
	More    string // a sentence for those who ask about this one
	Example string
	Topic   Topic
}

// Commands is what people read of all commands.
var Commands = []CommandHelp{
	{"human", "[--private] [question]", "talk to a person; --private keeps it between you and them", "Everybody in a lane can read what you ask there, and the answer. With --private, before all other words, it goes on in our direct chat.", "human How do I change the logo?", TopicAsk},
	{"request", "[LANE] [read|text|full] [reason]", "ask for access to a lane", "The project's managers decide. Without a lane it is the customer lane.", "request customer text to ask about the logo", TopicAsk},
	{"who", "[PROJECT]", "who is here, and in which role", "It also says who has access to which lane, and who hasn't joined yet.", "who acme", TopicPeople},
	{"why", "PERSON [LANE]", "why somebody has access, or hasn't", "It names the rules, and who decided what, when and for which reason.", "why @xena:example.org customer", TopicPeople},
	{"requests", "", "requests waiting for a decision", "Those who decide see all of them, everybody else their own.", "requests", TopicPeople},
	{"approve", "PERSON|#N [LANE] [read|text|full] [--for 14d] [reason]", "give access", "Without a lane it is the customer lane; without --for it has no end. No request is needed before it.", "approve @xena:example.org customer text --for 14d to ask about the logo", TopicPeople},
	{"deny", "PERSON|#N [reason]", "decline a request", "The person reads your reason.", "deny #16 please ask Mia instead", TopicPeople},
	{"revoke", "PERSON [LANE] [reason]", "end access that was approved", "What their role gives them stays. The person reads your reason.", "revoke @xena:example.org customer the logo is done", TopicPeople},
	{"accept", "PERSON [PROJECT]", "take somebody on as an expert", "They are invited to the lanes that the project gives experts.", "accept @xena:example.org acme", TopicPeople},
	{"add", "PERSON ROLE [PROJECT]", "add somebody, or change their role", "They are invited to the lanes of that role.", "add @carl:example.org customer acme", TopicPeople},
	{"remove", "PERSON [PROJECT]", "remove somebody from a project", "They leave all its lanes, and what was approved for them ends.", "remove @nina:example.org acme", TopicPeople},
	{"project create", `SHORTNAME "NAME" [--profile P] [--tier T] [--ROLE PERSON]…`, "set up a project with its lanes", "Everybody you name is invited. The short name is what commands call it.", `project create acme "Acme website" --customer @carl:example.org --manager @mia:example.org`, TopicProjects},
	{"project list", "[--after SHORTNAME]", "your projects", "", "project list", TopicProjects},
	{"project show", "[PROJECT]", "one project and its people", "", "project show acme", TopicProjects},
	{"project archive", "[PROJECT]", "make it read-only", "Everyone can still read; only staff can write. Nothing is deleted.", "project archive acme", TopicProjects},
	{"project restore", "[PROJECT]", "make it active again", "", "project restore acme", TopicProjects},
	{"plan", "[PROJECT]", "where the rooms differ from the record", "It changes nothing.", "plan acme", TopicProjects},
	{"apply", "[PROJECT]", "put the rooms right", "Whatever plan lists is changed back to what the record says.", "apply acme", TopicProjects},
	{"handoffs", "[open|mine|all] [--after #N]", "questions waiting for a person", "", "handoffs mine", TopicQuestions},
	{"take", "[#N] [--force]", "answer a question yourself", "What you write in the card's thread goes to the asker from then on. --force takes over from somebody else.", "take #12", TopicQuestions},
	{"release", "[#N]", "give a question back to the team", "The others are asked again.", "release #12", TopicQuestions},
	{"close", "[#N]", "mark a question as answered", "Writing in its thread opens it again.", "close #12", TopicQuestions},
	{"reopen", "[#N]", "open a question again", "", "reopen #12", TopicQuestions},
	{"agent list", "", "who answers on WhatsApp", "In the super-admin room, as all commands for agents.", "agent list", TopicQuestions},
	{"agent add", "NUMBER NAME [--mxid PERSON]", "have somebody answer on WhatsApp", "With --mxid they are the same person here and there.", "agent add +4915112345678 Dana", TopicQuestions},
	{"agent remove", "NUMBER|NAME", "end that somebody answers there", "", "agent remove Dana", TopicQuestions},
	{"agent pause", "NUMBER|NAME [--for 4h]", "ask somebody nothing new for a while", "What they are answering goes on.", "agent pause Dana --for 4h", TopicQuestions},
	{"agent resume", "NUMBER|NAME", "ask them again", "", "agent resume Dana", TopicQuestions},
	{"help", "[COMMAND]", "this list, or one command", "", "help approve", TopicOther},
	{"version", "", "which version is running", "", "version", TopicOther},
	{"ping", "", "check that I'm here", "", "ping", TopicOther},
}

// HelpOf gives what people read of one command.
func HelpOf(name string) CommandHelp {
	i := slices.IndexFunc(Commands, func(c CommandHelp) bool { return c.Name == name })
	if i < 0 {
		return CommandHelp{Name: name}
	}
	return Commands[i]
}

// Typed is the command with what may follow it.
func (c CommandHelp) Typed() string { return strings.TrimSpace(c.Name + " " + c.Usage) }

// HelpForAnyone lists the commands that somebody can use in a place, by topic. before is
// the prefix where one is needed; hand: 🙋 works there, too.
func HelpForAnyone(names []string, before string, hand bool) Words {
	var parts []Words
	for _, topic := range topics {
		var lines []Words
		for _, c := range Commands {
			if c.Topic == topic && slices.Contains(names, c.Name) {
				lines = append(lines, helpLine(c, before))
			}
		}
		if topic == TopicAsk && hand {
			lines = append(lines, Say("🙋 on a message of yours – ask a person about it"))
		}
		if len(lines) > 0 {
			parts = append(append(parts, Words{Plain: string(topic), HTML: "<strong>" + string(topic) + "</strong>"}), lines...)
		}
	}
	return Join(parts...)
}

// HelpOnForAnyone explains some commands, with an example of each.
func HelpOnForAnyone(names []string, before string) Words {
	var parts []Words
	for _, name := range names {
		c := HelpOf(name)
		parts = append(parts, helpLine(c, before))
		if c.More != "" {
			parts = append(parts, Say("%s", c.More))
		}
		parts = append(parts, Say("Example: %s", typed(c.Example, before)))
	}
	return Join(parts...)
}

func helpLine(c CommandHelp, before string) Words {
	return Say("%s – %s", typed(c.Typed(), before), c.Does)
}

// typed is a command as it has to be typed.
func typed(command, before string) Code {
	return Code(strings.TrimSpace(before + " " + command))
}
