//! Packages as people get them, made of the program that the tests have built: each is installed into a folder by the
//! tool that it is for, and run from there. What is not installed here is said, and its test skipped.

mod containers;
mod debian;
mod made;
mod node;
mod python;
mod services;
mod tarball;
