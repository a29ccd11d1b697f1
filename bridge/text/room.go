package text

import "lanekeeper/bridge/project"

// TopicForCustomers is the topic of a lane that customers can read. It says who
// reads, and nothing of other rooms.
func TopicForCustomers() string {
	return "Customers and the project team read this room. Need a person? React 🙋 to your message."
}

// TopicForStaff is the topic of a lane where no customer can be.
func TopicForStaff(kind project.Kind) string {
	switch kind {
	case project.Internal:
		return "Team and experts only – the customer doesn't see this room."
	case project.Notes:
		return "Staff only."
	}
	return "Project team only – the customer doesn't see this room."
}

// TopicForSuperAdmins is the topic of the room that questions come to.
func TopicForSuperAdmins() string {
	return "Questions arrive here as cards. ✋ takes one, your words in its thread go to the asker."
}

// Topics are all of them, so that a change of words is not taken for one by hand.
func Topics() []string {
	return []string{
		TopicForCustomers(), TopicForStaff(project.Internal), TopicForStaff(project.Notes), TopicForStaff(project.Customer), TopicForSuperAdmins(),
	}
}

// WelcomeForSuperAdmins is the first word in the room that questions come to.
func WelcomeForSuperAdmins() Words {
	return Sentence("Welcome! Questions arrive here as cards. ✋ takes one, your words in its thread go to the asker.\n" +
		"First step: `project create acme \"Acme website\" --customer @…`. `help` lists the rest.")
}

// WelcomeForAnyone is the first word in a direct chat that a person opened; ask tells
// whether they can ask for a human.
func WelcomeForAnyone(ask bool) Words {
	if !ask {
		return Sentence("Hi! I'm a bot. `help` lists what I can do for you.")
	}
	return Sentence("Hi! I'm a bot, and I can bring your question to a person: put 🙋 on your message here, or write `human` and your question. `help` lists the rest.")
}

// AddedForAnyone is the reason of an invitation, which everybody in the room reads. It
// names nobody; about is what the room is about, as its name says.
func AddedForAnyone(about string) string { return "You've been added to " + about }

// RemovedForAnyone is the reason of a removal, which everybody in the room reads, whoever
// wanted it and why.
func RemovedForAnyone(room string) string { return "You're no longer part of " + room }
