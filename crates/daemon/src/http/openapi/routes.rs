//! What can be asked.

/// A path with a method.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Name, type and what it is for.
    pub(super) query: &'static [(&'static str, &'static str, &'static str)],
    /// Schema of what is sent.
    pub(super) body: Option<&'static str>,
    /// Status, content type, schema, and when.
    pub(super) answers: &'static [(u16, &'static str, &'static str, &'static str)],
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

type Answer = (u16, &'static str, &'static str, &'static str);

const INVALID: Answer = (
    422,
    JSON,
    "ApplyRefusal",
    "Everything that is wrong; nothing was done.",
);
const MALFORMED: Answer = (400, JSON, "Error", "The body is not what it must be.");
const BUSY: Answer = (409, JSON, "ApplyRefusal", "Another apply is under way.");
const STREAM: Answer = (
    200,
    LINES,
    "ApplyLine",
    "Steps as they begin, one document in each line, and at last the report.",
);
const ACCEPTED: Answer = (202, JSON, "ApplyReport", "With `follow=no`: it has begun.");
const FOLLOW: (&str, &str, &str) = ("follow", "string", "`no` does not wait for the end.");
const INDENT: (&str, &str, &str) = ("indent", "string", "Anything: the answer is indented.");

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "get",
        path: "/api/v1/services",
        summary: "The daemon and every process.",
        query: &[
            (
                "measure",
                "string",
                "`no` leaves memory and processor time out.",
            ),
            INDENT,
        ],
        body: None,
        answers: &[(200, JSON, "StatusReport", "How everything is.")],
    },
    Route {
        method: "get",
        path: "/api/v1/services/{name}",
        summary: "One process.",
        query: &[INDENT],
        body: None,
        answers: &[
            (200, JSON, "ServiceStatus", "How it is."),
            (404, JSON, "Error", "Nobody has this name."),
        ],
    },
    Route {
        method: "get",
        path: "/api/v1/services/{name}/why",
        summary: "Why the processes that a name means are as they are.",
        query: &[INDENT],
        body: None,
        answers: &[
            (200, JSON, "WhyReport", "The explanation."),
            (404, JSON, "Error", "Nobody has this name."),
        ],
    },
    Route {
        method: "get",
        path: "/api/v1/events",
        summary: "The recorded history.",
        query: &[
            ("service", "string", "Only of this process or group."),
            ("since", "number", "Seconds since 1970."),
            ("after", "integer", "Id of an entry: only later ones."),
            ("limit", "integer", "Most entries."),
            (
                "wait",
                "integer",
                "Seconds, at most 60: an answer without entries waits for news.",
            ),
            INDENT,
        ],
        body: None,
        answers: &[
            (200, JSON, "EventsReport", "Entries, the oldest first."),
            (400, JSON, "Error", "The question cannot be understood."),
        ],
    },
    Route {
        method: "get",
        path: "/api/v1/settings",
        summary: "All settings, secrets masked.",
        query: &[INDENT],
        body: None,
        answers: &[(
            200,
            JSON,
            "SettingsReport",
            "What they are, and what they are set to.",
        )],
    },
    Route {
        method: "put",
        path: "/api/v1/settings",
        summary: "Save & Restart: change settings, and bring services to them.",
        query: &[FOLLOW],
        body: Some("ApplyRequest"),
        answers: &[STREAM, ACCEPTED, MALFORMED, BUSY, INVALID],
    },
    Route {
        method: "put",
        path: "/api/v1/plan",
        summary: "What a change would do; nothing is done.",
        query: &[INDENT],
        body: Some("ApplyRequest"),
        answers: &[(200, JSON, "PlanReport", "The plan."), MALFORMED, INVALID],
    },
    Route {
        method: "get",
        path: "/api/v1/apply",
        summary: "The apply that is under way, or else the last one.",
        query: &[
            (
                "follow",
                "string",
                "`yes` tells it as a stream, to its end.",
            ),
            INDENT,
        ],
        body: None,
        answers: &[
            (
                200,
                JSON,
                "ApplyReport",
                "How it stands; with `follow=yes` lines of ApplyLine.",
            ),
            (404, JSON, "Error", "Nothing has been applied yet."),
        ],
    },
    Route {
        method: "post",
        path: "/api/v1/apply",
        summary: "The same as PUT of settings. Without a body it applies what the settings file says.",
        query: &[FOLLOW],
        body: Some("ApplyRequest"),
        answers: &[STREAM, ACCEPTED, MALFORMED, BUSY, INVALID],
    },
    Route {
        method: "get",
        path: "/api/v1/boot",
        summary: "What became of the last boot: of what is made before programs run.",
        query: &[
            (
                "failed",
                "string",
                "`yes` asks for the last one in which something failed.",
            ),
            INDENT,
        ],
        body: None,
        answers: &[
            (200, JSON, "BootReport", "Its steps, in their order."),
            (404, JSON, "Error", "There was none."),
        ],
    },
    Route {
        method: "get",
        path: "/api/v1/openapi.json",
        summary: "This document.",
        query: &[],
        body: None,
        answers: &[],
    },
];
