//! What is wrong, slow, cut off or hostile on either side, and what is lost by it: nothing.

mod cut;
mod lists;
mod setup;
