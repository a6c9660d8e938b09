//! Members, organisations and tokens of programs.

use audit::Id;
use secrecy::SecretString;
use store::control::access::{Actor, ManageMembers, ManageOrganisations, Role};
use store::control::instance::{Organisation, is_name};
use store::control::members::{MemberPatch, NewMember};
use store::control::programs::NewProgram;
use vault::token::{Token, TokenKind};

use crate::grants::label;
use crate::servers::taken;
use crate::sign_in::{SignIn, member_name};
use crate::{Instance, Refused};

/// A member as somebody describes one.
#[derive(Debug)]
pub struct MemberGiven<'a> {
    /// What they sign in with.
    pub name: &'a str,
    /// What others read; without it their name.
    pub display: Option<&'a str>,
    /// What they may do.
    pub role: Role,
    /// Their password; without one they cannot sign in by password.
    pub password: Option<&'a SecretString>,
}

/// What is to be another way with a member; what is `None` stays.
#[derive(Debug, Default)]
pub struct MemberChanged<'a> {
    /// What others read.
    pub display: Option<&'a str>,
    /// What they may do.
    pub role: Option<Role>,
    /// A new password. Sessions that stand end.
    pub password: Option<&'a SecretString>,
    /// Whether they may do nothing from now on. Sessions that stand end.
    pub disabled: Option<bool>,
}

impl SignIn {
    /// Makes a member.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add_member(&self, actor: &Actor, given: &MemberGiven<'_>, reason: &str) -> Result<Id, Refused> {
        let permit = actor.permit::<ManageMembers>()?;
        member_name(given.name)?;
        let display = given.display.unwrap_or(given.name);
        label("/display", display)?;
        let hash = self.hashed(given.password).await?;
        let new = NewMember { name: given.name, display, role: given.role, password: hash.as_deref() };
        let added = self.instance().database().add_member(permit, &new, reason).await;
        taken(added.map_err(Refused::from), "/name", "another member has this name")
    }

    /// Changes a member, if they still are what they were at version `seen`.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change_member(
        &self,
        actor: &Actor,
        member: Id,
        seen: i64,
        given: &MemberChanged<'_>,
        reason: &str,
    ) -> Result<(), Refused> {
        let permit = actor.permit::<ManageMembers>()?;
        if let Some(display) = given.display {
            label("/display", display)?;
        }
        let hash = self.hashed(given.password).await?;
        let patch = MemberPatch {
            seen: Some(seen),
            display: given.display,
            role: given.role,
            password: hash.as_deref(),
            disabled: given.disabled,
        };
        Ok(self.instance().database().change_member(permit, member, &patch, reason).await?)
    }

    /// Makes an organisation with its first admin, who signs in with this name and password.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add_organisation(
        &self,
        actor: &Actor,
        name: &str,
        title: &str,
        admin: (&str, &SecretString),
        reason: &str,
    ) -> Result<Organisation, Refused> {
        let permit = actor.permit::<ManageOrganisations>()?;
        if !is_name(name) {
            return Err(Refused::invalid("/name", "an organisation's name is 1 to 40 of a-z, 0-9 and -"));
        }
        label("/title", title)?;
        let (admin, password) = admin;
        // All that can be wrong is looked at before anything is made.
        let at_admin = |error| match error {
            Refused::Invalid { place, why } => Refused::Invalid { place: format!("/admin{place}"), why },
            other => other,
        };
        member_name(admin).map_err(at_admin)?;
        let hash = self.hash(password).await.map_err(at_admin)?;
        let first = NewMember { name: admin, display: admin, role: Role::Admin, password: Some(&hash) };
        let added = self.instance().database().add_organisation_with(permit, name, title, Some(&first), reason).await;
        taken(added.map_err(Refused::from), "/name", "another organisation has this name")
    }

    async fn hashed(&self, password: Option<&SecretString>) -> Result<Option<String>, Refused> {
        match password {
            Some(password) => Ok(Some(self.hash(password).await?)),
            None => Ok(None),
        }
    }
}

impl Instance {
    /// Makes a token for a program: this is the only time that it is there.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn add_token(
        &self,
        actor: &Actor,
        name: &str,
        role: Role,
        expires_at: Option<i64>,
        reason: &str,
    ) -> Result<(Id, Token), Refused> {
        let permit = actor.permit::<ManageMembers>()?;
        label("/label", name)?;
        if expires_at.is_some_and(|at| at < 0) || expires_at.unwrap_or(i64::MAX) <= self.database.now().await? {
            return Err(Refused::invalid("/expires_at", "that time is over: the token could never be used"));
        }
        let token = Token::fresh(TokenKind::Program).map_err(|error| Refused::Vault(error.to_string()))?;
        let new = NewProgram { label: name, role, hash: &self.hash_key.hash(&token).to_string(), expires_at };
        let added = self.database.add_program(permit, &new, reason).await.map_err(Refused::from);
        Ok((taken(added, "/label", "another token has or had this label")?, token))
    }

    /// Takes a token that a program has already.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn know_token(&self, actor: &Actor, name: &str, role: Role, token: &Token) -> Result<Id, Refused> {
        let permit = actor.permit::<ManageMembers>()?;
        label("/label", name)?;
        let new = NewProgram { label: name, role, hash: &self.hash_key.hash(token).to_string(), expires_at: None };
        let added = self.database.add_program(permit, &new, "").await.map_err(Refused::from);
        taken(added, "/label", "another token has or had this label")
    }
}
