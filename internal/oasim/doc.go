// Package oasim is the home of the simulators: OA systems that take to-dos and prove who signs in (seeyon, weaver, landray,
// yunzhijia, welink, wecom, dingtalk, feishu, and a generic one), and a CRM that sends events and takes logins (crm). They
// are the project's second opinion: written from the vendors' published wire facts alone, they share no code with the
// drivers, the dispatcher or the gateway, so that each side checks the other.
//
// What all simulators have in common lives beside them: the control API with a movable clock, settings and people
// (desk), what people see (inbox) and the web pages on which they see it and sign in (portal), scripted faults (fault), a
// log of every request (journal), values that expire (expiry), tokens and one-time codes (credential), limits of calls
// (quota), departments (org) and the look of the pages (page).
//
// Keys such as SEED3, SY-AUTH or SY-SSO in comments name the source of a wire fact; "derived" marks an assumption that
// no public source settles, and "from memory" what is common knowledge but stands in no source that was opened.
package oasim
