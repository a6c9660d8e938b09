//! Who may do what: the roles' table, and permits that nothing else can make.
//!
//! Every function that touches a row of an organisation asks for a [`Permit`] of the right that it
//! needs, and takes the organisation from it. So whoever forgets to authorise does not compile, and
//! whoever is authorised sees one organisation only.

use std::fmt;
use std::marker::PhantomData;

use audit::Id;

/// What a member or a program may do in its organisation, from the least to the most. An auditor
/// stands beside: it reads what the others may not, and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sees servers, tools, names of policies, labels of grants and the decision log.
    Viewer,
    /// Also decides approvals.
    Approver,
    /// Also writes and publishes policies, attaches them, and stops calls.
    PolicyManager,
    /// Also servers, grants, members and settings.
    Admin,
    /// Reads everything, payloads and admin events included.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 5] = [Role::Viewer, Role::Approver, Role::PolicyManager, Role::Admin, Role::Auditor];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Approver => "approver",
            Role::PolicyManager => "policy_manager",
            Role::Admin => "admin",
            Role::Auditor => "auditor",
        }
    }

    /// Reads what [`name`](Self::name) writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that some roles may do.
pub trait Right {
    /// What it is, to stand after "may not".
    const WHAT: &'static str;
    /// Who may.
    const ROLES: &'static [Role];
    /// Whether it reaches beyond one organisation: then only those of the first one have it.
    const INSTANCE: bool = false;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident: $what:literal, [$($role:ident),*] $(, instance $instance:literal)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Right for $name {
                const WHAT: &'static str = $what;
                const ROLES: &'static [Role] = &[$(Role::$role),*];
                $(const INSTANCE: bool = $instance;)?
            }
        )*
    };
}

rights! {
    /// Servers, tools, names of policies, labels of grants, the decision log without values.
    See: "see servers, policies, grants and decisions", [Viewer, Approver, PolicyManager, Admin, Auditor];
    /// What a policy says, and its history.
    ReadPolicies: "read what a policy says", [PolicyManager, Admin, Auditor];
    /// Write, test, publish policies, and attach them to grants that exist.
    WritePolicies: "write and publish policies", [PolicyManager, Admin];
    /// Stop calls at once, and let them go on.
    StopCalls: "stop and resume calls", [PolicyManager, Admin];
    /// Forget what is used of a limit, and vouch for counts that may have been lost. Whoever publishes policies sets
    /// the limits themselves.
    ManageLimits: "reset limits and confirm their counts", [PolicyManager, Admin];
    /// Register servers, their credentials and overrides; accept changed definitions.
    ManageServers: "register and change servers", [Admin];
    /// Have replicas start programs: these run as the gateway's own user, on the machines of all organisations.
    RunPrograms: "register servers that are programs on the gateway's machines", [Admin], instance true;
    /// Grants and agents.
    ManageGrants: "mint, rotate and revoke grants", [Admin];
    /// Members, programs' tokens and settings.
    ManageMembers: "manage members and tokens of programs", [Admin];
    /// Payloads and admin events.
    ReadAdminEvents: "read admin events", [Auditor];
    /// Which replicas serve.
    SeeReplicas: "see replicas", [Admin];
    /// Make organisations.
    ManageOrganisations: "make organisations", [Admin], instance true;
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A person who signed in.
    Member {
        /// The member's id.
        id: Id,
        /// The member's name.
        name: String,
    },
    /// A program with an API token.
    Program {
        /// The token's id.
        id: Id,
        /// The token's label.
        label: String,
    },
    /// Whoever can write in the instance's own store; the name of that user of the system.
    Operator(String),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Member { name, .. } => write!(f, "member:{name}"),
            Who::Program { label, .. } => write!(f, "token:{label}"),
            Who::Operator(user) => write!(f, "operator:{user}"),
        }
    }
}

/// Somebody who was recognised, in one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The organisation in which they act.
    pub organisation: Id,
    /// Whether that is the first one, whose admins run the instance.
    pub first: bool,
    /// Who they are.
    pub who: Who,
    /// Their role there.
    pub role: Role,
}

/// Somebody may not do what they asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as {role} you may not {what}: {needs}")]
pub struct Forbidden {
    role: Role,
    what: &'static str,
    needs: String,
}

impl Actor {
    /// The right to do something, if the role has it.
    ///
    /// # Errors
    /// [`Forbidden`], which says who may.
    pub fn permit<R: Right>(&self) -> Result<Permit<'_, R>, Forbidden> {
        let place = !R::INSTANCE || self.first;
        if place && R::ROLES.contains(&self.role) {
            return Ok(Permit { actor: self, right: PhantomData });
        }
        let roles: Vec<_> = R::ROLES.iter().map(|role| role.name()).collect();
        let of = if R::INSTANCE { " of the instance's first organisation" } else { "" };
        Err(Forbidden { role: self.role, what: R::WHAT, needs: format!("that takes {}{of}", roles.join(" or ")) })
    }
}

/// Somebody's right to do something in their organisation. Only [`Actor::permit`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Permit<'a, R> {
    actor: &'a Actor,
    right: PhantomData<R>,
}

impl<'a, R> Permit<'a, R> {
    /// The organisation in which it holds.
    pub fn organisation(&self) -> Id {
        self.actor.organisation
    }

    /// Whose it is.
    pub fn actor(&self) -> &'a Actor {
        self.actor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role) -> Actor {
        Actor { organisation: Id::from_bits(1), first: false, who: Who::Operator("ada".to_owned()), role }
    }

    fn may<R: Right>() -> String {
        let letter = |role| if actor(role).permit::<R>().is_ok() { 'x' } else { '.' };
        Role::ALL.into_iter().map(letter).collect()
    }

    #[test]
    fn the_table_of_the_roles() {
        assert_eq!(may::<See>(), "xxxxx");
        assert_eq!(may::<ReadPolicies>(), "..xxx");
        assert_eq!(may::<WritePolicies>(), "..xx.");
        assert_eq!(may::<StopCalls>(), "..xx.");
        assert_eq!(may::<ManageLimits>(), "..xx.");
        assert_eq!(may::<ManageServers>(), "...x.");
        assert_eq!(may::<ManageGrants>(), "...x.");
        assert_eq!(may::<ManageMembers>(), "...x.");
        assert_eq!(may::<ReadAdminEvents>(), "....x");
        assert_eq!(may::<SeeReplicas>(), "...x.");
        assert_eq!(may::<ManageOrganisations>(), ".....", "only in the first organisation");
        let first = Actor { first: true, ..actor(Role::Admin) };
        assert!(first.permit::<ManageOrganisations>().is_ok());
        assert!(first.permit::<RunPrograms>().is_ok());
        assert_eq!(may::<RunPrograms>(), ".....", "only in the first organisation");
        assert!(Actor { role: Role::Auditor, ..first }.permit::<ManageOrganisations>().is_err());
    }

    #[test]
    fn a_refusal_says_who_may() {
        let refused = actor(Role::Viewer).permit::<WritePolicies>().unwrap_err().to_string();
        assert_eq!(refused, "as viewer you may not write and publish policies: that takes policy_manager or admin");
    }

    #[test]
    fn roles_read_what_they_write() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
        assert_eq!(Role::parse("Admin"), None);
    }
}
