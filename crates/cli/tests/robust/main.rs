//! What is wrong, slow, cut off or hostile on either side, and what is lost by it: nothing.

mod cancelled;
mod crossed;
mod cut;
mod decoded;
mod echo;
mod floods;
mod hanging;
mod limits;
mod lists;
mod once;
mod returning;
mod sessions;
mod setup;
mod slow;
