//! The members of `params` that some method knows.

/// A member of `params`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Member {
    Name,
    Arguments,
    Uri,
    Cursor,
    Meta,
    TaskId,
    RequestState,
    InputResponses,
    ProtocolVersion,
    Capabilities,
    ClientInfo,
    Level,
    Reference,
    RequestId,
    ProgressToken,
    Task,
    Notifications,
    // Known, but not read by a gateway.
    Argument,
    Context,
    Reason,
    Progress,
    Total,
    Message,
    Status,
    StatusMessage,
    CreatedAt,
    LastUpdatedAt,
    Ttl,
    PollInterval,
}

/// What a member must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A string of 1 to [`MAX_NAME`](super::MAX_NAME) characters.
    Name,
    /// A string that is not empty.
    Text,
    /// Any string.
    String,
    /// A string or `null`, which counts as absent.
    OptionalString,
    /// An object.
    Object,
    /// An object or `null`, which counts as absent.
    OptionalObject,
    /// What an id may be.
    Id,
    /// Not looked at.
    Any,
}

impl Member {
    /// How many there are.
    pub(crate) const COUNT: usize = 29;

    /// All, in the order of their numbers.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Name,
        Self::Arguments,
        Self::Uri,
        Self::Cursor,
        Self::Meta,
        Self::TaskId,
        Self::RequestState,
        Self::InputResponses,
        Self::ProtocolVersion,
        Self::Capabilities,
        Self::ClientInfo,
        Self::Level,
        Self::Reference,
        Self::RequestId,
        Self::ProgressToken,
        Self::Task,
        Self::Notifications,
        Self::Argument,
        Self::Context,
        Self::Reason,
        Self::Progress,
        Self::Total,
        Self::Message,
        Self::Status,
        Self::StatusMessage,
        Self::CreatedAt,
        Self::LastUpdatedAt,
        Self::Ttl,
        Self::PollInterval,
    ];

    /// The member of exactly that key.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "name" => Self::Name,
            "arguments" => Self::Arguments,
            "_meta" => Self::Meta,
            "uri" => Self::Uri,
            "cursor" => Self::Cursor,
            "taskId" => Self::TaskId,
            "requestState" => Self::RequestState,
            "inputResponses" => Self::InputResponses,
            "protocolVersion" => Self::ProtocolVersion,
            "capabilities" => Self::Capabilities,
            "clientInfo" => Self::ClientInfo,
            "level" => Self::Level,
            "ref" => Self::Reference,
            "requestId" => Self::RequestId,
            "progressToken" => Self::ProgressToken,
            "task" => Self::Task,
            "notifications" => Self::Notifications,
            "argument" => Self::Argument,
            "context" => Self::Context,
            "reason" => Self::Reason,
            "progress" => Self::Progress,
            "total" => Self::Total,
            "message" => Self::Message,
            "status" => Self::Status,
            "statusMessage" => Self::StatusMessage,
            "createdAt" => Self::CreatedAt,
            "lastUpdatedAt" => Self::LastUpdatedAt,
            "ttl" => Self::Ttl,
            "pollInterval" => Self::PollInterval,
            _ => return None,
        })
    }

    /// The key.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Arguments => "arguments",
            Self::Uri => "uri",
            Self::Cursor => "cursor",
            Self::Meta => "_meta",
            Self::TaskId => "taskId",
            Self::RequestState => "requestState",
            Self::InputResponses => "inputResponses",
            Self::ProtocolVersion => "protocolVersion",
            Self::Capabilities => "capabilities",
            Self::ClientInfo => "clientInfo",
            Self::Level => "level",
            Self::Reference => "ref",
            Self::RequestId => "requestId",
            Self::ProgressToken => "progressToken",
            Self::Task => "task",
            Self::Notifications => "notifications",
            Self::Argument => "argument",
            Self::Context => "context",
            Self::Reason => "reason",
            Self::Progress => "progress",
            Self::Total => "total",
            Self::Message => "message",
            Self::Status => "status",
            Self::StatusMessage => "statusMessage",
            Self::CreatedAt => "createdAt",
            Self::LastUpdatedAt => "lastUpdatedAt",
            Self::Ttl => "ttl",
            Self::PollInterval => "pollInterval",
        }
    }

    /// What it must be where a method knows it.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Name | Self::TaskId => Shape::Name,
            Self::Uri | Self::Level | Self::ProtocolVersion => Shape::Text,
            Self::RequestState => Shape::String,
            Self::Cursor => Shape::OptionalString,
            Self::Arguments
            | Self::InputResponses
            | Self::Capabilities
            | Self::ClientInfo
            | Self::Reference
            | Self::Task
            | Self::Notifications => Shape::Object,
            Self::Meta => Shape::OptionalObject,
            Self::RequestId | Self::ProgressToken => Shape::Id,
            Self::Argument
            | Self::Context
            | Self::Reason
            | Self::Progress
            | Self::Total
            | Self::Message
            | Self::Status
            | Self::StatusMessage
            | Self::CreatedAt
            | Self::LastUpdatedAt
            | Self::Ttl
            | Self::PollInterval => Shape::Any,
        }
    }

    /// The number, for arrays.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// A set of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Members(u32);

impl Members {
    /// Every member any method knows.
    pub(crate) const ALL: Self = Self::of(&Member::ALL);

    /// These.
    pub(crate) const fn of(members: &[Member]) -> Self {
        Self(0).and(members)
    }

    /// This set and these.
    pub(crate) const fn and(self, members: &[Member]) -> Self {
        let mut set = self.0;
        let mut rest = members;
        while let [first, others @ ..] = rest {
            set |= 1 << first.index();
            rest = others;
        }
        Self(set)
    }

    /// Whether the member is among them.
    pub(crate) const fn has(self, member: Member) -> bool {
        self.0 & (1 << member.index()) != 0
    }
    /// This set less one.
    pub(crate) const fn without(self, member: Member) -> Self {
        Self(self.0 & !(1 << member.index()))
    }

    /// The one with the lowest number.
    pub(crate) fn first(self) -> Option<Member> {
        Member::ALL.get(self.0.trailing_zeros() as usize).copied()
    }
}
