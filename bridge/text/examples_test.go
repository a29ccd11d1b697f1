package text_test

import (
	"time"

	"lanekeeper/bridge/project"
	. "lanekeeper/bridge/text"
)

// example is one sentence as somebody reads it: what a function of the package makes,
// and when, where it makes several.
type example struct {
	function string
	when     string
	said     any // Words, or a string
}

var (
	now   = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	later = now.Add(14 * 24 * time.Hour)
	carl  = Pill{ID: "@carl:example.org", Name: "Carl Berg"}
	mia   = Pill{ID: "@mia:example.org", Name: "Mia Lang"}
	xena  = Pill{ID: "@xena:example.org", Name: "Xena Ilic"}
	ruth  = Pill{ID: "@ruth:example.org", Name: "Ruth Sommer"}
	who   = func(p Pill) Words { return Say("%s", p) }
	room  = Pill{ID: "!customer:example.org", Name: "Customer", Via: "example.org"}
	inner = Pill{ID: "!internal:example.org", Name: "Internal", Via: "example.org"}
	lane  = "Customer · Acme website"
	lanes = []string{"Internal · Acme website"}
	asks  = Say("The preview link shows an error 502 since noon.")
	step  = StepInvite("@xena:example.org", "Internal · Acme website")
	link  = room.Link()
)

func request(state project.RequestState, because string) project.Request {
	return project.Request{Number: 1, User: xena.ID, Lane: project.Customer, Access: project.Text, Reason: "to ask about the logo", State: state, Because: because}
}

func decision(e project.Entry) Words {
	e.At = now
	return Decision(e, who(mia))
}

func card(c Card) Words {
	c.Number, c.Asker, c.Place, c.Question, c.Since = 12, carl, "Acme website, customer lane", asks, now
	return CardForStaff(c)
}

var choices = []Choice{
	{Number: 8, Asker: "Carl Berg", Begins: "The preview link shows an error 502 since…", Since: now.Add(-4 * time.Minute)},
	{Number: 10, Asker: "Carl Berg", Begins: "When will my invoice be paid?", Since: now.Add(-3 * time.Hour), Yours: true}, {Number: 12, Matrix: true},
}

// examples is every sentence of the package once, or more often where it changes. A
// new function needs one here: docs/words.md is made of them.
var examples = []example{
	// Access: access.go
	{"RequestCard", "open", RequestCard(request(project.Open, ""), xena, mia, lane)},
	{"RequestCard", "approved", RequestCard(request(project.Approved, ""), xena, mia, lane)},
	{"RequestCard", "declined", RequestCard(request(project.Denied, "please ask Mia"), xena, mia, lane)},
	{"RequestCard", "withdrawn", RequestCard(request(project.Withdrawn, ""), xena, mia, lane)},
	{"DecidedCard", "", DecidedCard(request(project.Approved, ""))},
	{"DecidedInDirect", "approved", DecidedInDirect(request(project.Approved, ""))},
	{"DecidedInDirect", "declined", DecidedInDirect(request(project.Denied, ""))},
	{"DecidedInDirect", "withdrawn", DecidedInDirect(request(project.Withdrawn, ""))},
	{"DecidedInLane", "approved", DecidedInLane(request(project.Approved, ""))},
	{"DecidedInLane", "declined", DecidedInLane(request(project.Denied, ""))},
	{"DecidedInLane", "withdrawn", DecidedInLane(request(project.Withdrawn, ""))},
	{"SignsOfCard", "", SignsOfCard(1)},
	{"StaleReaction", "", StaleReaction("✅", 1)},
	{"RefusedReactionForApprover", "", RefusedReactionForApprover(1, "You can't decide on your own access. Please ask somebody else who can approve.")},
	{"Approved", "for good", Approved(mia, lane, project.Text, nil, now, link, "")},
	{"Approved", "for a time, with a reason", Approved(mia, lane, project.Full, &later, now, link, "while the logo is made")},
	{"DeniedTo", "", DeniedTo(mia, lane, "")},
	{"DeniedTo", "with a reason", DeniedTo(mia, lane, "please ask me instead")},
	{"Revoked", "", Revoked(mia, lane, project.None, "the logo is done")},
	{"Revoked", "something is left by the role", Revoked(mia, lane, project.Read, "")},
	{"Expired", "", Expired(lane, project.None)},
	{"Expired", "something is left by the role", Expired(lane, project.Read)},
	{"May", "read", May(project.Read)}, {"May", "text", May(project.Text)}, {"May", "full and more", May(project.Full)}, {"May", "none", May(project.None)},
	{"Date", "soon", Date(now.Add(time.Hour), now)}, {"Date", "this year", Date(later, now)}, {"Date", "another year", Date(now.AddDate(1, 0, 0), now)},

	// Answers to commands: answer.go
	{"CreatedForSender", "with people", CreatedForSender("Acme website", []Words{WithRole(who(carl), "customer"), WithRole(who(mia), "manager")})},
	{"CreatedForSender", "with nobody", CreatedForSender("Acme website", nil)},
	{"WithRole", "", WithRole(who(ruth), "account_manager")},
	{"RoomsForSender", "", RoomsForSender([]Pill{room, inner})},
	{"ExistsForSender", "", ExistsForSender("Acme website")},
	{"ProjectForSender", "", ProjectForSender("acme", "Acme website", project.Active)},
	{"ProjectForSender", "archived", ProjectForSender("old", "Old website", project.Archived)},
	{"ProjectHeadForSender", "", ProjectHeadForSender("acme", "Acme website", "agency", project.Active)},
	{"MoreProjectsForSender", "", MoreProjectsForSender("!lane", "acme")},
	{"NoMoreProjectsForSender", "", NoMoreProjectsForSender()},
	{"NoProjectsForSender", "", NoProjectsForSender(false)}, {"NoProjectsForSender", "staff", NoProjectsForSender(true)},
	{"ArchivedForSender", "", ArchivedForSender("Acme website", true)}, {"ArchivedForSender", "again", ArchivedForSender("Acme website", false)},
	{"RestoredForSender", "", RestoredForSender("Acme website", true)}, {"RestoredForSender", "again", RestoredForSender("Acme website", false)},
	{"JoinedForSender", "", JoinedForSender(Joined{Person: who(xena), Role: "expert", Project: "Acme website", Invited: lanes, Changed: true})},
	{"JoinedForSender", "who is in the lanes already", JoinedForSender(Joined{Person: who(carl), Role: "stakeholder", Project: "Acme website", In: []string{lane}, Changed: true})},
	{"JoinedForSender", "no lane that may be named here", JoinedForSender(Joined{Person: who(ruth), Role: "agency", Project: "Acme website", Changed: true})},
	{"JoinedForSender", "again", JoinedForSender(Joined{Person: who(xena), Role: "expert", Project: "Acme website", In: lanes})},
	{"RemovedForSender", "", RemovedForSender(who(xena), "Acme website", true)}, {"RemovedForSender", "again", RemovedForSender(who(xena), "Acme website", false)},
	{"RequestedForSender", "", RequestedForSender(1)},
	{"GrantedForSender", "for good", GrantedForSender(who(xena), lane, project.Text, nil, now)},
	{"GrantedForSender", "for a time", GrantedForSender(who(xena), lane, project.Text, &later, now)},
	{"GrantedForSender", "to no effect", GrantedForSender(who(xena), lane, project.None, nil, now)},
	{"DeclinedForSender", "", DeclinedForSender(16, who(xena), false)}, {"DeclinedForSender", "with a reason", DeclinedForSender(16, who(xena), true)},
	{"RevokedForSender", "", RevokedForSender(who(xena), lane, project.None, "expert", true)},
	{"RevokedForSender", "something is left", RevokedForSender(who(xena), lane, project.Read, "expert", true)},
	{"RevokedForSender", "nothing was approved", RevokedForSender(who(carl), lane, project.Full, "customer", false)},
	{"RevokedForSender", "nothing was approved, no access", RevokedForSender(who(xena), lane, project.None, "expert", false)},
	{"PersonForSender", "in one lane", PersonForSender(who(carl), "customer", []Standing{{Access: project.Full, Membership: "join"}})},
	{"PersonForSender", "in several", PersonForSender(Named(xena), "expert", []Standing{{"Customer", project.Text, "invite"}, {"Internal", project.Full, "join"}})},
	{"PersonForSender", "who left", PersonForSender(Named(mia), "manager", []Standing{{"Customer", project.Manager, "leave"}, {"Notes", project.Manager, ""}})},
	{"Named", "who shares no room with the reader", Named(xena)},
	{"NobodyForSender", "", NobodyForSender()},
	{"AccessForSender", "", AccessForSender(who(xena), lane, project.Text)}, {"AccessForSender", "none", AccessForSender(who(xena), lane, project.None)},
	{"RoleForSender", "", RoleForSender("manager")},
	{"GrantForSender", "", GrantForSender(who(mia), project.Grant{Access: project.Text, Since: now, Reason: "to ask about the logo"})},
	{"GrantForSender", "for a time", GrantForSender(who(mia), project.Grant{Access: project.Text, Since: now, Until: &later})},
	{"EndedGrantForSender", "", EndedGrantForSender(who(mia), "An approval of 2 March 2026 (text) ended on 16 March 2026, 09:00 UTC.")},
	{"RequestForSender", "", RequestForSender(request(project.Open, ""), who(xena), lane)},
	{"NoRequestsForSender", "", NoRequestsForSender()},
	{"PlanForSender", "none", PlanForSender(0)}, {"PlanForSender", "one", PlanForSender(1)}, {"PlanForSender", "more", PlanForSender(3)},
	{"AppliedForSender", "none", AppliedForSender(0)}, {"AppliedForSender", "one", AppliedForSender(1)}, {"AppliedForSender", "more", AppliedForSender(3)},
	{"VersionForAnyone", "", VersionForAnyone("1.2.0")},
	{"PingForAnyone", "", PingForAnyone(157)},
	{"MoreHandoffsForStaff", "", MoreHandoffsForStaff("!lane", "open", 12)},
	{"CommandTakenOutForStaff", "", CommandTakenOutForStaff(CommandTakenOut{Lane: lane, Again: "!lane revoke @xena:example.org --project acme"})},
	{"CommandTakenOutForStaff", "we failed on it", CommandTakenOutForStaff(CommandTakenOut{Lane: lane, Again: "!lane why @xena:example.org --project acme", Broken: true})},
	{"Elsewhere", "all of it", Elsewhere(Words{})}, {"Elsewhere", "a part", Elsewhere(Say("Xena is now an expert on Acme website."))},
	{"Pending", "", Pending("")}, {"Pending", "refused", Pending("M_FORBIDDEN")},
	{"Decision", "added", decision(project.Entry{What: project.WhatAdd, By: mia.ID, Became: "expert"})},
	{"Decision", "another role", decision(project.Entry{What: project.WhatAdd, By: mia.ID, Was: "customer", Became: "expert"})},
	{"Decision", "accepted", decision(project.Entry{What: project.WhatAccept, By: mia.ID, Became: "expert"})},
	{"Decision", "removed", decision(project.Entry{What: project.WhatRemove, By: mia.ID, Was: "expert"})},
	{"Decision", "approved", decision(project.Entry{What: project.WhatApprove, By: mia.ID, Lane: "customer", Became: "text", Reason: "to ask about the logo"})},
	{"Decision", "approved for a time", decision(project.Entry{What: project.WhatApprove, By: mia.ID, Lane: "customer", Became: "text", Until: &later})},
	{"Decision", "declined", decision(project.Entry{What: project.WhatDeny, By: mia.ID, Lane: "customer"})},
	{"Decision", "revoked", decision(project.Entry{What: project.WhatRevoke, By: mia.ID, Lane: "customer", Was: "text", Became: "none"})},
	{"Decision", "expired", decision(project.Entry{What: project.WhatExpire, Lane: "customer", Was: "text", Became: "none"})},
	{"Decision", "before decisions were kept", decision(project.Entry{What: project.WhatAdd, Became: "expert"})},

	// Help: help.go
	{"HelpForAnyone", "a customer", HelpForAnyone([]string{"human", "who", "close", "help", "version", "ping"}, "!lane", true)},
	{"HelpForAnyone", "staff, in the super-admin room", HelpForAnyone(allCommands("human", "request"), "", false)},
	{"HelpOnForAnyone", "", HelpOnForAnyone([]string{"approve"}, "")},

	// Refusals: refusal.go
	{"WhichProjectForSender", "", WhichProjectForSender([]string{"acme", "beta"}, false)}, {"WhichProjectForSender", "and others", WhichProjectForSender([]string{"acme", "beta"}, true)},
	{"NoProjectForStaff", "", NoProjectForStaff("acne")},
	{"NoProjectYetForStaff", "", NoProjectYetForStaff()},
	{"OtherProjectForSender", "", OtherProjectForSender()},
	{"WhoForSender", "", WhoForSender("example.org")},
	{"NoIDForSender", "", NoIDForSender("xena", "example.org")},
	{"NoIDAfterForSender", "", NoIDAfterForSender("xena", "expert", "example.org")},
	{"UnknownUserForSender", "", UnknownUserForSender("@nobodyatall:lanes.test")},
	{"OwnAccountForSender", "", OwnAccountForSender()},
	{"WhichRoleForSender", "", WhichRoleForSender([]string{"customer", "expert", "manager"})},
	{"UnexpectedForSender", "", UnexpectedForSender("please", HelpOf("add").Typed())},
	{"UnknownFlagForSender", "", UnknownFlagForSender("until", []string{"for", "project"})}, {"UnknownFlagForSender", "there are none", UnknownFlagForSender("until", nil)},
	{"FlagValueForSender", "", FlagValueForSender("for")},
	{"ForMeantForSender", "", ForMeantForSender()},
	{"UnknownForPerson", "", UnknownForPerson()},
	{"UnknownCommandForSender", "", UnknownCommandForSender("requets", "!lane help")},
	{"NoHelpForSender", "", NoHelpForSender("help")},
	{"NotHereForCustomer", "", NotHereForCustomer("humans", "!lane human")}, {"NotHereForCustomer", "no word", NotHereForCustomer("h-u-m", "!lane human")},
	{"StaleForSender", "", StaleForSender()},
	{"TooManyForSender", "", TooManyForSender(20)},
	{"BrokenForSender", "", BrokenForSender()},
	{"CreateElsewhereForSender", "", CreateElsewhereForSender()},
	{"QuoteNameForSender", "", QuoteNameForSender("acme")},
	{"NotAskedForSender", "", NotAskedForSender()},
	{"PrefixForSender", "", PrefixForSender("!lane")},
	{"UnsureForSender", "", UnsureForSender("!lane human --private your question")},
	{"PrivateQuestionForSender", "", PrivateQuestionForSender("!lane human --private your question")},
	{"AskElsewhereForStaff", "", AskElsewhereForStaff()},
	{"UnreadableForAsker", "", UnreadableForAsker("!lane")},
	{"WhichHandoffsForStaff", "", WhichHandoffsForStaff()},
	{"AfterForStaff", "", AfterForStaff()},
	{"NoNumberForStaff", "", NoNumberForStaff("twelve")},
	{"WhichHandoffForAnyone", "", WhichHandoffForAnyone()},
	{"NoHandoffForStaff", "", NoHandoffForStaff(99)},
	{"OtherRoomForStaff", "", OtherRoomForStaff(12)},
	{"OwnedForCommand", "", OwnedForCommand("!lane", 12, "Ruth Sommer")},
	{"ClosedForStaff", "", ClosedForStaff("!lane", 12)},
	{"InMatrixForStaff", "", InMatrixForStaff(12)},
	{"NoRequestForStaff", "", NoRequestForStaff(99)},
	{"GoneProjectForStaff", "", GoneProjectForStaff()},

	// Machinery: command.go, direct.go
	{"Parked", "", Parked(7, "matrix", "M_TOO_LARGE")},
	{"GapWaits", "", GapWaits(lane, now)}, {"GapLost", "", GapLost(lane, now)}, {"GapInParts", "", GapInParts(lane, now)},
	{"TwilioBrokenForStaff", "", TwilioBrokenForStaff("from is no WhatsApp sender of this account (Twilio 63007, https://www.twilio.com/docs/api/errors/63007)", 10*time.Minute)},
	{"AgentsForStaff", "", AgentsForStaff([]AgentRow{{Number: "+4915112345678", Name: "Dana", Open: true}, {Number: "+4915112345679", Name: "Eli"}, {Number: "+4915112345670", Name: "Fay", Paused: true, Until: later}, {Number: "+4915112345671", Name: "Gil", Stopped: true}})},
	{"AgentsForStaff", "nobody", AgentsForStaff(nil)}, {"AgentAddedForStaff", "", AgentAddedForStaff("Dana")}, {"AgentRemovedForStaff", "", AgentRemovedForStaff("Dana")},
	{"AgentPausedForStaff", "", AgentPausedForStaff("Dana", time.Time{})}, {"AgentPausedForStaff", "for a time", AgentPausedForStaff("Dana", later)},
	{"AgentResumedForStaff", "", AgentResumedForStaff("Dana", true)}, {"AgentResumedForStaff", "not paused", AgentResumedForStaff("Dana", false)},
	{"AgentsHereForStaff", "", AgentsHereForStaff()}, {"NoWhatsAppForStaff", "", NoWhatsAppForStaff()}, {"NoPhoneForStaff", "", NoPhoneForStaff()}, {"AgentNameForStaff", "", AgentNameForStaff()},
	{"OwnNumberForStaff", "", OwnNumberForStaff()}, {"AgentKnownForStaff", "", AgentKnownForStaff("Dana")}, {"NotTheirPhoneForStaff", "", NotTheirPhoneForStaff()}, {"ManyAgentsForStaff", "", ManyAgentsForStaff(100)},
	{"NoAgentForStaff", "", NoAgentForStaff()}, {"ManyOfThatNameForStaff", "", ManyOfThatNameForStaff()},
	{"EverybodyForLane", "", EverybodyForLane("Carl Berg")}, {"TooManyCallsForSender", "", TooManyCallsForSender(3, false)},
	{"TooManyCallsForSender", "by Matrix itself", TooManyCallsForSender(3, true)}, {"TooManyCallsForStaff", "", TooManyCallsForStaff(carl, lane, 3)},
	{"TwilioMendedForStaff", "", TwilioMendedForStaff()},
	{"TwilioStuck", "", TwilioStuck("Twilio refuses the account (HTTP 401)")},
	// What a room says of itself: room.go
	{"TopicForCustomers", "", TopicForCustomers()},
	{"TopicForStaff", "internal", TopicForStaff(project.Internal)},
	{"TopicForStaff", "notes", TopicForStaff(project.Notes)},
	{"TopicForStaff", "a lane without customers", TopicForStaff(project.Customer)},
	{"TopicForSuperAdmins", "", TopicForSuperAdmins()},
	{"WelcomeForSuperAdmins", "", WelcomeForSuperAdmins()},
	{"WelcomeForAnyone", "may ask a person", WelcomeForAnyone(true)},
	{"WelcomeForAnyone", "may not", WelcomeForAnyone(false)},
	{"AddedForAnyone", "the reason of an invitation", AddedForAnyone("Acme website")},
	{"RemovedForAnyone", "the reason of a removal", RemovedForAnyone(lane)},

	{"CannotRead", "", CannotRead()}, {"ReadsHere", "", ReadsHere()}, {"CannotReadAnywhere", "", CannotReadAnywhere()},
	{"EncryptedForSuperAdmins", "", EncryptedForSuperAdmins()},
	{"UnsaidForStaff", "", UnsaidForStaff(lane, "M_FORBIDDEN")},
	{"KeptForSuperAdmins", "", KeptForSuperAdmins(lane, "M_FORBIDDEN")},
	{"LateForStaff", "", LateForStaff(lane, "M_FORBIDDEN")}, {"LateForStaff", "no answer", LateForStaff(lane, "")},
	{"LateOverForStaff", "", LateOverForStaff(lane)},
	{"RateLimited", "", RateLimited()}, {"RateLimitOver", "", RateLimitOver()},
	{"NoDirectChat", "", NoDirectChat()}, {"EnoughRooms", "", EnoughRooms(3)},

	// Questions: handoff_asker.go, handoff_staff.go
	{"AskedForAsker", "in a lane", AskedForAsker(Asked{Number: 2, Lane: true, WhatsApp: true})},
	{"AskedForAsker", "in a lane, later", AskedForAsker(Asked{Number: 7, Lane: true, WhatsApp: true, Again: true})},
	{"AskedForAsker", "in a lane, consent is asked", AskedForAsker(Asked{Number: 2, Lane: true, Consent: true})},
	{"AskedForAsker", "in the direct chat", AskedForAsker(Asked{Number: 2, WhatsApp: true, Prefix: "!lane"})},
	{"AskedForAsker", "in private", AskedForAsker(Asked{Number: 2, Prefix: "!lane", Question: asks.Plain})},
	{"JoinedForAsker", "", JoinedForAsker(Asked{Number: 2, Lane: true}, false)},
	{"JoinedForAsker", "it was closed", JoinedForAsker(Asked{Number: 2, Lane: true, WhatsApp: true}, true)},
	{"FullForAsker", "", FullForAsker(Full{Number: 9, Open: 5, Question: asks.Plain})},
	{"NoMoreForAsker", "", NoMoreForAsker(5)},
	{"TakenOutForSender", "customer", TakenOutForSender(TakenOut{Why: NotAskedForSender(), Words: "!lane human --private my bill", Again: true, Customer: true})},
	{"TakenOutForSender", "staff", TakenOutForSender(TakenOut{Why: PrefixForSender("!lane"), Words: "!lane human --private my bill", Again: true})},
	{"TooMuchForAsker", "", TooMuchForAsker(2, 40)},
	{"ClosedForAsker", "", ClosedForAsker(2, "Dana", false)}, {"ClosedForAsker", "in a direct chat", ClosedForAsker(2, "Dana", true)},
	{"EndedForAsker", "", EndedForAsker(2)}, {"EndedForStaff", "", EndedForStaff(2, "Carl Berg")},
	{"WhichForAsker", "", WhichForAsker([]int64{2, 7})}, {"WhichOfYours", "", WhichOfYours([]int64{2, 7})},
	{"HeldForAnyone", "", HeldForAnyone("!lane", "close")},
	{"SignOfConsentForAsker", "", SignOfConsentForAsker(2)}, {"HandForPerson", "", HandForPerson("!lane")},
	{"ArchivedForAsker", "", ArchivedForAsker(2)}, {"ArchivedInLane", "", ArchivedInLane(Say("%s", mia), "Acme website")},
	{"ArchivedInLane", "by somebody who is not there", ArchivedInLane(TeamInLane(), "Acme website")}, {"TeamInLane", "", TeamInLane()}, {"RestoredInLane", "", RestoredInLane(Say("%s", mia), "Acme website")},
	{"HintForAsker", "", HintForAsker(2)}, {"ReopenedForAsker", "", ReopenedForAsker(2)},
	{"NotCarriedForAsker", "", NotCarriedForAsker(2, false)}, {"NotCarriedForAsker", "encrypted", NotCarriedForAsker(2, true)}, {"UndeliveredForAsker", "", UndeliveredForAsker(2)},
	{"AnswerForAsker", "", AnswerForAsker("Dana", Say("Tomorrow at noon."))}, {"Spoken", "", Spoken("Dana", "WhatsApp", Say("Tomorrow at noon."))},
	{"CardForStaff", "open", card(Card{State: "open"})},
	{"CardForStaff", "closed, with what it cost", card(Card{State: "closed", Closer: "Dana", Billed: 7})},
	{"CardForStaff", "open, no consent", card(Card{State: "open", Consent: true})},
	{"CardForStaff", "open, from a staff lane", card(Card{State: "open", InMatrix: true})},
	{"CardForStaff", "taken in Matrix", card(Card{State: "taken", Owner: "Ruth Sommer"})},
	{"CardForStaff", "taken on WhatsApp", card(Card{State: "taken", Owner: "Dana", Phone: true})},
	{"CardForStaff", "somebody wrote in the lane", card(Card{State: "open", InLane: "Mia Lang"})},
	{"ArchivedForStaff", "", ArchivedForStaff(12)},
	{"CardForStaff", "closed", card(Card{State: "closed", Owner: "Dana", Closer: "Dana"})},
	{"ContextForStaff", "", ContextForStaff([]Words{Spoken("Mia Lang", "", Say("Welcome, Carl!"))})},
	{"KeptForStaff", "closed", KeptForStaff("!lane", 12, "closed", "")}, {"KeptForStaff", "another answers", KeptForStaff("!lane", 12, "taken", "Olga")}, {"KeptForStaff", "nobody does", KeptForStaff("!lane", 12, "open", "")},
	{"UnsentForStaff", "", UnsentForStaff("Eli", "Dana is answering it", Say("Next week."))},
	{"NoWordsForStaff", "", NoWordsForStaff()}, {"RemovedForStaff", "", RemovedForStaff(12)},
	{"FileKind", "", FileKind("image/jpeg")},
	{"FileInMatrix", "", FileInMatrix("invoice 4711.pdf")},
	{"ContactInMatrix", "", ContactInMatrix("Ann Example", []string{"+49 151 12345678", "+49 30 123"})},
	{"PlaceInMatrix", "", PlaceInMatrix("Office, Main Street 1", "48.1371", "11.5754")},
	{"FileMissingForAsker", "late", FileMissingForAsker(2, "Dana", "photo", "late")},
	{"FileMissingForAsker", "lost", FileMissingForAsker(2, "Dana", "voice message", "lost")},
	{"FileMissingForAsker", "large", FileMissingForAsker(2, "Dana", "video", "large")},
	{"FileMissingForAsker", "refused", FileMissingForAsker(2, "Dana", "audio file", "refused")},
	{"FileMissingForStaff", "late", FileMissingForStaff("Dana", "photo", "late")},
	{"FileMissingForStaff", "lost", FileMissingForStaff("Dana", "voice message", "lost")},
	{"FileMissingForStaff", "large", FileMissingForStaff("Dana", "video", "large")},
	{"FileMissingForStaff", "refused", FileMissingForStaff("Dana", "audio file", "refused")},
	{"FileKeptForStaff", "", FileKeptForStaff("Dana", "Eli is answering it", "invoice 4711.pdf")},
	{"FileForStaff", "", FileForStaff(File{Name: "invoice.pdf", Kind: "m.file"}, true)}, {"FileForStaff", "encrypted", FileForStaff(File{Kind: "m.image"}, false)}, {"LinkedForStaff", "", LinkedForStaff(12, "Dana", "the file could not be downloaded")}, {"WithdrawnForStaff", "", WithdrawnForStaff()}, {"KeptByPhonesForStaff", "", KeptByPhonesForStaff("Carl Berg", []string{"Dana", "Eli"})}, {"NotCarriedForStaff", "", NotCarriedForStaff()},
	{"OwnedForStaff", "", OwnedForStaff("!lane", 12, "Olga")}, {"SignOfCardForStaff", "", SignOfCardForStaff(12)},
	{"TakenOverForStaff", "", TakenOverForStaff(12, "Ruth Sommer")}, {"FreedForStaff", "", FreedForStaff(12)},
	{"UnreachableForStaff", "", UnreachableForStaff(12, "Dana")}, {"FailedForStaff", "", FailedForStaff(12, "Dana", "the phone opted out with STOP (Twilio 21610)")},
	{"UnknownForStaff", "", UnknownForStaff(12, "Dana")}, {"LostForStaff", "", LostForStaff(12)},
	{"StrangersForStaff", "", StrangersForStaff(20)}, {"StrangerForStaff", "", StrangerForStaff("+4915112345678")},
	{"AbsentForStaff", "gone", AbsentForStaff(12, true)}, {"AbsentForStaff", "archived", AbsentForStaff(12, false)},
	{"OptedOutForStaff", "", OptedOutForStaff("Dana")}, {"OptedInForStaff", "", OptedInForStaff("Dana")},
	{"StoppedForStaff", "", StoppedForStaff()},
	{"ConsentedForStaff", "", ConsentedForStaff("Carl Berg", true)}, {"ConsentedForStaff", "taken back", ConsentedForStaff("Carl Berg", false)},
	{"ReactionForStaff", "", ReactionForStaff("Carl Berg", Say("👍"))},
	{"HandoffForStaff", "", HandoffForStaff(Listed{Number: 12, Card: Pill{ID: "!staff:lanes.test/$card", Name: "#12"}, Asker: carl, Place: "Acme website, customer lane", State: "taken", Owner: "Dana", Question: "The preview link shows an error.", Age: 4 * time.Minute})},
	{"HandoffsForStaff", "none", HandoffsForStaff(nil)},
	{"TakenForStaff", "", TakenForStaff(12, true)}, {"TakenForStaff", "again", TakenForStaff(12, false)},
	{"ReleasedForStaff", "", ReleasedForStaff(12, true)}, {"ReleasedForStaff", "again", ReleasedForStaff(12, false)},
	{"ClosedForAnyone", "", ClosedForAnyone(12, true, false, false)}, {"ClosedForAnyone", "in the asker's thread", ClosedForAnyone(12, true, true, false)}, {"ClosedForAnyone", "in their direct chat", ClosedForAnyone(12, true, true, true)}, {"ClosedForAnyone", "again", ClosedForAnyone(12, false, false, false)},
	{"ReopenedForAnyone", "", ReopenedForAnyone(12, true)}, {"ReopenedForAnyone", "again", ReopenedForAnyone(12, false)},

	// WhatsApp: handoff_whatsapp.go
	{"WaitingForAgent", "", WaitingForAgent()}, {"OnlyMatrixForAgent", "", OnlyMatrixForAgent()},
	{"ClosedForAgent", "", ClosedForAgent(12)}, {"AlreadyClosedForAgent", "", AlreadyClosedForAgent()},
	{"OpenForAgent", "", OpenForAgent()},
	{"OwnedForAgent", "", OwnedForAgent("Dana", false)}, {"OwnedForAgent", "an answer", OwnedForAgent("Dana", true)},
	{"OnItForAgent", "", OnItForAgent("Ruth Sommer")}, {"InLaneForAgent", "", InLaneForAgent("Mia Lang")}, {"NotInLaneForAgent", "", NotInLaneForAgent()}, {"ArchivedForAgent", "", ArchivedForAgent()},
	{"WhichKeptForAgent", "", WhichKeptForAgent(choices, now)}, {"AddedForAgent", "", AddedForAgent("Hello Carl …", choices[:1], now)},
	{"EarlyForAgent", "", EarlyForAgent(8)}, {"NoSuchForAgent", "", NoSuchForAgent(99)}, {"NotOfferedForAgent", "", NotOfferedForAgent(14)},
	{"StaysInMatrixForAgent", "", StaysInMatrixForAgent(12)}, {"IsClosedForAgent", "", IsClosedForAgent(9)}, {"IsOwnedForAgent", "", IsOwnedForAgent(9, "Eli Moran")},
	{"IsRemovedForAgent", "", IsRemovedForAgent(9)}, {"TooLongForAgent", "", TooLongForAgent()},
	{"StillKeptForAgent", "a number that may be older than the question", StillKeptForAgent(EarlyForAgent(8), "Tomorrow at noon.", choices[:1], now)},
	{"StillKeptForAgent", "none is left", StillKeptForAgent(IsClosedForAgent(9), "Tomorrow at noon.", nil, now)},
	{"KeepingForAgent", "", KeepingForAgent("Tomorrow at noon.")}, {"NoLongerKeptForAgent", "", NoLongerKeptForAgent("Tomorrow at noon.")},
	{"SpentForAgent", "sent", SpentForAgent(8, 8)}, {"SpentForAgent", "not sent", SpentForAgent(8, 0)},
	{"TakenForAgent", "", TakenForAgent()}, {"PassedForAgent", "", PassedForAgent()}, {"GoneForAgent", "", GoneForAgent()}, {"DoneForAgent", "", DoneForAgent()},
	{"EndedForAgent", "", EndedForAgent("Ruth Sommer")}, {"TakenOverForAgent", "", TakenOverForAgent("Ruth Sommer")},
	{"RoutedForAgent", "", RoutedForAgent()},
	{"AbsentForAgent", "gone", AbsentForAgent(true)}, {"AbsentForAgent", "archived", AbsentForAgent(false)},
	{"RemovedForAgent", "", RemovedForAgent()},
	{"FileMissingForAgent", "late", FileMissingForAgent("photo", "late")},
	{"FileMissingForAgent", "lost", FileMissingForAgent("voice message", "lost")},
	{"FileMissingForAgent", "large", FileMissingForAgent("video", "large")},
	{"FileMissingForAgent", "refused", FileMissingForAgent("file", "refused")},
	{"LostForAgent", "", LostForAgent()}, {"FileNameForAgent", "", FileNameForAgent(File{Name: "invoice.pdf", Kind: "m.file"})}, {"FileNameForAgent", "without a name", FileNameForAgent(File{Kind: "m.voice"})}, {"LinkForAgent", "", LinkForAgent(File{Name: "banner.png", Kind: "m.image", Size: 6 << 20}, "https://lanes.example.org/_lanekeeper/media/…")}, {"StayedFileForAgent", "", StayedFileForAgent(File{Kind: "m.file"})}, {"RevokedForAgent", "", RevokedForAgent()},
	{"EmptyForAgent", "", EmptyForAgent()}, {"UnknownForAgent", "", UnknownForAgent(99)},
	{"WhichForAgent", "", WhichForAgent(choices, now)}, {"WhichForAgent", "none", WhichForAgent(nil, now)}, {"WordForAgent", "", WordForAgent(choices, now)},
	{"OptedInForAgent", "", OptedInForAgent()},
	{"ListForAgent", "", ListForAgent(choices, now)}, {"ListForAgent", "none", ListForAgent(nil, now)},
	{"NoneOpenForAgent", "", NoneOpenForAgent()}, {"OpeningForAgent", "", OpeningForAgent(2)},
	{"HelpForAgent", "", HelpForAgent(nil)}, {"HelpForAgent", "with ready answers", HelpForAgent([]string{"/hello", "/hours"})},
	{"StatusForAgent", "", StatusForAgent(choices, later, now)}, {"StatusForAgent", "nothing open", StatusForAgent(nil, later, now)},
	{"SilentForAgent", "", SilentForAgent()},
	{"WithdrawnForAgent", "", WithdrawnForAgent("Carl Berg")}, {"ReactionForAgent", "", ReactionForAgent("Carl Berg", "👍", "Tomorrow at noon.")},
	{"TooMuchForAgent", "", TooMuchForAgent(40)}, {"RestForAgent", "", RestForAgent(12)}, {"RestForAgent", "of no question", RestForAgent(0)},

	// Rooms and the record: reconcile.go
	{"StepCreate", "", StepCreate(lane)}, {"StepBack", "", StepBack(lane)}, {"StepLook", "", StepLook(lane)}, {"StepInvite", "", step},
	{"StepKick", "", StepKick(xena.ID, lane)}, {"StepUninvite", "", StepUninvite(xena.ID, lane)}, {"StepUnban", "", StepUnban(xena.ID, lane)}, {"StepGuest", "", StepGuest("Dana", lane)},
	{"StepLevels", "", StepLevels(lane, []Words{LevelOf(xena.ID, "–", "10"), LevelOf("invite", "0", "50")})}, {"LevelOf", "", LevelOf("invite", "0", "50")},
	{"StepJoinRule", "", StepJoinRule(lane)}, {"StepGuests", "", StepGuests(lane)}, {"StepHistory", "", StepHistory(lane, "invited")}, {"StepName", "", StepName("Our room", lane)},
	{"StepAlias", "", StepAlias(lane)}, {"StepTombstone", "", StepTombstone(lane)}, {"StepServers", "", StepServers(lane)}, {"StepAvatar", "", StepAvatar(lane)}, {"StepTopic", "", StepTopic(lane)}, {"StepMark", "", StepMark(lane)}, {"StepUnmark", "", StepUnmark(lane, "lanekeeper.lane")},
	{"StepLink", "", StepLink(lane, "Project · Acme website")}, {"StepUnlink", "", StepUnlink(lane, "Project · Acme website")},
	{"CannotLower", "", CannotLower(xena.ID, lane, false)}, {"CannotLower", "to remove them", CannotLower(xena.ID, lane, true)},
	{"CannotRaise", "", CannotRaise(lane)}, {"CannotDo", "", CannotDo(step)}, {"CannotDecrypt", "", CannotDecrypt(lane)},
	{"DriftForStaff", "", DriftForStaff(Named(mia), []Words{step})}, {"DriftForStaff", "nobody knows who", DriftForStaff(Words{}, []Words{step})},
	{"StepsForSuperAdmins", "of a project", StepsForSuperAdmins("acme", []Words{CannotDo(step)})}, {"StepsForSuperAdmins", "of the super-admin room", StepsForSuperAdmins("", []Words{EncryptedStaffRoom()})},
	{"RefusedStep", "", RefusedStep(step, "M_FORBIDDEN")}, {"UnansweredStep", "", UnansweredStep(step)}, {"Fought", "", Fought(step)}, {"StillSo", "", StillSo(step)},
	{"LostRole", "", LostRole(xena.ID, "designer")}, {"ReadsAlong", "", ReadsAlong(xena.ID)}, {"OpenStaffRoom", "", OpenStaffRoom("m.room.join_rules", "public")}, {"EncryptedStaffRoom", "", EncryptedStaffRoom()},
}

// allCommands are the names of all commands but some.
func allCommands(but ...string) (names []string) {
	for _, c := range Commands {
		if c.Name != but[0] && c.Name != but[1] {
			names = append(names, c.Name)
		}
	}
	return names
}
