//! How far a gateway is on its way out.

/// The phases that a gateway goes through when it is told to stop, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// It serves.
    #[default]
    Serving,
    /// It says that it is not ready, and serves whoever still comes: load balancers need a moment to notice.
    Leaving,
    /// It takes no connections, and streams on which agents only listen are closed. Requests under way go on.
    Closing,
    /// The time for that is over: requests under way are told so.
    Ending,
}
