//! Whom a conversation is led with: a program, or a server of the older HTTP transport.

use bytes::Bytes;
use tokio::sync::oneshot;
use upstream::child::{Child, Ended, Exit};

use crate::sse_link::{SseLink, Undelivered};

/// The other side of one conversation.
pub enum Partner {
    /// A program that speaks on stdin and stdout.
    Program(Child),
    /// A server that speaks HTTP+SSE.
    Sse(SseLink),
}

impl Partner {
    /// Gives it one message. What is given, if anything, hears that the message was not taken.
    ///
    /// # Errors
    /// Why nothing was sent.
    pub(crate) async fn post(&self, message: Bytes) -> Result<Option<oneshot::Receiver<Undelivered>>, String> {
        match self {
            Self::Program(child) => match child.send(message).await {
                Ok(()) => Ok(None),
                Err(ended) => Err(ended.to_string()),
            },
            Self::Sse(link) => link.post(message).await.map(Some),
        }
    }

    /// Gives it one message whose fate concerns nobody.
    ///
    /// # Errors
    /// [`Ended`] when nothing was sent because it is gone.
    pub async fn send(&self, message: Bytes) -> Result<(), Ended> {
        self.post(message).await.map(drop).map_err(|_| Ended)
    }

    /// Gives it one message, and waits for the receipt where there is any.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn deliver(&self, message: Bytes) -> Result<(), String> {
        match self.post(message).await? {
            Some(undelivered) => undelivered.await.map_or(Ok(()), |why| Err(why.reason)),
            None => Ok(()),
        }
    }

    /// Why it is gone.
    pub fn why_ended(&self) -> String {
        match self {
            Self::Program(_) => Ended.to_string(),
            Self::Sse(link) => link
                .ended()
                .map_or_else(|| "the connection to the server has ended".to_owned(), |why| (*why).to_owned()),
        }
    }

    /// Whether it is gone.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Program(child) => child.exit().is_some(),
            Self::Sse(link) => link.ended().is_some(),
        }
    }

    /// Waits until it is gone; how a program ended.
    pub async fn ended(&self) -> Option<Exit> {
        match self {
            Self::Program(child) => child.ended().await,
            Self::Sse(link) => {
                link.until_ended().await;
                None
            }
        }
    }

    /// Ends it, and waits for that; how a program ended.
    pub async fn stop(&self) -> Option<Exit> {
        match self {
            Self::Program(child) => child.stop().await,
            Self::Sse(link) => {
                link.stop().await;
                None
            }
        }
    }

    /// Whether it is a process of this machine.
    pub fn is_program(&self) -> bool {
        matches!(self, Self::Program(_))
    }
}
