package text

import "lanekeeper/bridge/project"

// Decision says what was decided on somebody, by whom and why: for themselves and
// for those who decide such things.
func Decision(e project.Entry, by Words) Words {
	who := Say("%s", by)
	if e.By == "" {
		who = Say("somebody") // before decisions were kept
	}
	w := Say("%s: %s ", e.At.UTC().Format("2 January 2006"), who)
	switch {
	case e.What == project.WhatExpire:
		w = Say("%s: their access ended as planned, from %s to %s.", e.At.UTC().Format("2 January 2006"), e.Was, e.Became)
	case e.By == "" && e.Lane == "":
		w = Say("%sadded them as %s, or earlier.", w, e.Became)
	case e.What == project.WhatAdd && e.Was != "" && e.Was != e.Became:
		w = Say("%schanged their role to %s, from %s.", w, e.Became, e.Was)
	case e.What == project.WhatAdd:
		w = Say("%sadded them as %s.", w, e.Became)
	case e.What == project.WhatAccept:
		w = Say("%saccepted them as %s.", w, e.Became)
	case e.What == project.WhatRemove:
		w = Say("%sremoved them; they were %s.", w, e.Was)
	case e.What == project.WhatApprove && e.Until != nil:
		w = Say("%sapproved %s until %s.", w, e.Became, e.Until.UTC().Format("2 January 2006, 15:04 UTC"))
	case e.What == project.WhatApprove:
		w = Say("%sapproved %s.", w, e.Became)
	case e.What == project.WhatDeny:
		w = Say("%sdeclined their request.", w)
	case e.What == project.WhatRevoke:
		w = Say("%sended an approval: from %s to %s.", w, e.Was, e.Became)
	}
	return because(w, e.Reason)
}
