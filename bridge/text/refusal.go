package text

import (
	"fmt"
	"strings"
	"unicode"
)

// Refusals of commands: sentences with the code marks that Sentence reads. Those of the
// record itself stand beside its rules, in package project.

// WhichProjectForSender asks which project is meant; more: there are others.
func WhichProjectForSender(slugs []string, more bool) string {
	var flags []string
	for _, s := range slugs {
		flags = append(flags, "`--project "+s+"`")
	}
	if more {
		return "Which project? Add one of " + strings.Join(flags, ", ") + ". There are more: `project list`."
	}
	last := len(flags) - 1
	if last == 0 {
		return "Which project? Add " + flags[0] + "."
	}
	return "Which project? Add " + strings.Join(flags[:last], ", ") + " or " + flags[last] + "."
}

// NoProjectForStaff refuses a short name that there is not.
func NoProjectForStaff(slug string) string {
	return fmt.Sprintf("There's no project “%s”. `project list` shows them all.", unticked(slug))
}

// NoProjectYetForStaff is for those who could make one.
func NoProjectYetForStaff() string { return "There's no project yet. `project create` makes one." }

// OtherProjectForSender refuses a command about another project than the lane's own.
func OtherProjectForSender() string {
	return "This lane belongs to another project. Please ask me in our direct chat."
}

// WhoForSender asks whom a command is about.
func WhoForSender(domain string) string {
	return fmt.Sprintf("Who? Mention them, or write their id: `@name:%s`.", domain)
}

// NoIDForSender refuses what is no person's id.
func NoIDForSender(word, domain string) string {
	return fmt.Sprintf("“%s” isn't a Matrix id. Mention the person, or write it like `@name:%s`.", unticked(word), domain)
}

// NoIDAfterForSender is the same for what follows a flag.
func NoIDAfterForSender(word, flag, domain string) string {
	return fmt.Sprintf("“%s” after --%s isn't a Matrix id. Write it like `@name:%s`.", unticked(word), flag, domain)
}

// UnknownUserForSender refuses somebody whom our homeserver does not have.
func UnknownUserForSender(user string) string {
	return fmt.Sprintf("`%s` doesn't exist on this server. Check the spelling.", unticked(user))
}

// OwnAccountForSender refuses the bot and its ghosts.
func OwnAccountForSender() string { return "That's one of my own accounts, not a person." }

// WhichRoleForSender asks for the role.
func WhichRoleForSender(roles []string) string {
	return "Which role? Add one after the name: " + strings.Join(roles, ", ") + "."
}

// UnexpectedForSender refuses words behind the end of a command.
func UnexpectedForSender(word, usage string) string {
	return fmt.Sprintf("I didn't expect “%s”. Like this: `%s`", unticked(word), usage)
}

// UnknownFlagForSender refuses a flag; known are those that there are.
func UnknownFlagForSender(flag string, known []string) string {
	if len(known) == 0 {
		return fmt.Sprintf("I don't know --%s here. This command takes no flags.", unticked(flag))
	}
	return fmt.Sprintf("I don't know --%s here. It takes --%s.", unticked(flag), strings.Join(known, ", --"))
}

// FlagValueForSender refuses a flag without its value.
func FlagValueForSender(flag string) string {
	return fmt.Sprintf("--%s needs a value after it.", unticked(flag))
}

// ForMeantForSender refuses a length of time that would be read as part of a reason.
func ForMeantForSender() string {
	return "Is that for a limited time? Then write --for before it: `--for 14d`. If not, please put the reason in other words."
}

// UnknownForPerson answers words in a direct chat that are no command.
func UnknownForPerson() string {
	return "I'm a bot and didn't get that. For a person, put 🙋 on your message or write `human` and your question. `help` lists the rest."
}

// UnknownCommandForSender answers the same elsewhere; help is how it is typed there.
func UnknownCommandForSender(word, help string) string {
	return fmt.Sprintf("I don't know %s. `%s` shows what I can do.", oneWord(word), help)
}

// NoHelpForSender answers help about what there is not.
func NoHelpForSender(help string) string {
	return fmt.Sprintf("There's no such command here. `%s` lists them.", help)
}

// NotHereForCustomer answers what is no command in the customer lane, kindly: whoever
// typed it wanted something else.
func NotHereForCustomer(word, human string) string {
	return fmt.Sprintf("I don't know %s. For a person: `%s` and your question, or 🙋 on your message.", oneWord(word), human)
}

// oneWord repeats a word if it is one and no more.
func oneWord(word string) string {
	if word == "" || len(word) > 30 || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return "that one"
	}
	return "“" + word + "”"
}

// StaleForSender refuses what arrived too late.
func StaleForSender() string {
	return "This reached me more than 15 minutes late, so I didn't run it. Please send it again if you still want it."
}

// TooManyForSender refuses what is above the limit of commands.
func TooManyForSender(limit int) string {
	return fmt.Sprintf("That's more than %d commands in a minute, so I haven't run this one, and I won't answer more of them in the rest of that minute. Please send it again in a minute.", limit)
}

// BrokenForSender answers a command that failed on our side.
func BrokenForSender() string {
	return "Sorry, something went wrong on my side and nothing was done. I've told the operators."
}

// CreateElsewhereForSender refuses a new project in a lane.
func CreateElsewhereForSender() string {
	return "I can't set up another project from a lane. Please do it in our direct chat."
}

// QuoteNameForSender refuses a project's name in several words.
func QuoteNameForSender(slug string) string {
	return fmt.Sprintf("Please put the project's name in quotes: `project create %s \"The name\"`.", unticked(slug))
}

// NotAskedForSender refuses an edit, a notice or an emote that looks like a question.
func NotAskedForSender() string {
	return "I haven't asked anyone: an edit, a notice or an emote isn't a command. Only a message of its own is one."
}

// PrefixForSender refuses a question among words for others.
func PrefixForSender(prefix string) string {
	return fmt.Sprintf("I haven't asked anyone: in a conversation a command needs `%s` before it.", prefix)
}

// UnsureForSender refuses a question that may have been meant to be private.
func UnsureForSender(private string) string {
	return fmt.Sprintf("I haven't asked anyone, because I'm not sure whether that should be private. If so, write `%s`, with --private before all other words. If not, leave that word out.", private)
}

// PrivateQuestionForSender asks for the question itself.
func PrivateQuestionForSender(private string) string {
	return fmt.Sprintf("Put your question after it: `%s`.", private)
}

// AskElsewhereForStaff refuses a question where questions arrive.
func AskElsewhereForStaff() string {
	return "Questions arrive here. To ask one yourself, use your direct chat with me."
}

// UnreadableForAsker refuses 🙋 on a message that we do not have.
func UnreadableForAsker(prefix string) string {
	return fmt.Sprintf("I can't read the message you reacted to. Please ask with `%s human` and your question.", prefix)
}

// WhichHandoffsForStaff refuses another word after `handoffs`.
func WhichHandoffsForStaff() string { return "Which ones? Say `open`, `mine` or `all`." }

// AfterForStaff refuses --after without a number.
func AfterForStaff() string { return "After --after goes the number of the last one, such as #12." }

// NoNumberForStaff refuses what is no question's number.
func NoNumberForStaff(word string) string {
	return fmt.Sprintf("“%s” isn't a question's number. Write it like #12.", unticked(word))
}

// WhichHandoffForAnyone asks which question a command is about.
func WhichHandoffForAnyone() string {
	return "Which question? Write this in its thread, or add its number: `close #12`."
}

// NoHandoffForStaff refuses a number that there is not.
func NoHandoffForStaff(n int64) string { return fmt.Sprintf("There's no question #%d.", n) }

// OtherRoomForStaff refuses a question of another room.
func OtherRoomForStaff(n int64) string {
	return fmt.Sprintf("#%d belongs to another room. Please do that in the super-admin room or in our direct chat.", n)
}

// OwnedForCommand refuses what only the owner may do; owner is their name where it is read.
func OwnedForCommand(prefix string, n int64, owner string) string {
	return fmt.Sprintf("%s is already answering #%d. To take over: `%s take #%d --force`.", owner, n, prefix, n)
}

// ClosedForStaff refuses to release what is closed.
func ClosedForStaff(prefix string, n int64) string {
	return fmt.Sprintf("#%d is closed. `%s reopen #%d` opens it again.", n, prefix, n)
}

// InMatrixForStaff refuses a phone as the owner of what does not leave Matrix.
func InMatrixForStaff(n int64) string { return fmt.Sprintf("#%d can only be answered in Matrix.", n) }

// NoRequestForStaff refuses the number of a request that there is not.
func NoRequestForStaff(n int64) string {
	return fmt.Sprintf("There's no open request #%d. `requests` lists those there are.", n)
}

// GoneProjectForStaff refuses a project that is gone.
func GoneProjectForStaff() string { return "There's no such project." }

// unticked is somebody's word without the marks of code.
func unticked(s string) string { return strings.ReplaceAll(s, "`", "'") }
