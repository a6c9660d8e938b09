//! What there is to ask about, a module a resource.

pub(super) mod agents;
pub(super) mod grants;
pub(super) mod instance;
pub(super) mod keys;
pub(super) mod limits;
pub(super) mod members;
pub(super) mod policies;
pub(super) mod servers;
pub(super) mod sessions;
pub(super) mod stops;
pub(super) mod tokens;
pub(super) mod tools;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use store::control::access::Role;

/// A value that goes in and never comes out.
pub(crate) struct Secret(pub(super) SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(SecretString::from(String::deserialize(deserializer)?)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "password", "writeOnly": true, "maxLength": 8192,
            "description": "A secret: it is kept sealed or hashed, and no answer holds it."
        })
    }
}

/// What a member or a program may do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Role")]
pub(super) enum RoleName {
    Viewer,
    Approver,
    PolicyManager,
    Admin,
    Auditor,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Role::Viewer,
            RoleName::Approver => Role::Approver,
            RoleName::PolicyManager => Role::PolicyManager,
            RoleName::Admin => Role::Admin,
            RoleName::Auditor => Role::Auditor,
        }
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => RoleName::Viewer,
            Role::Approver => RoleName::Approver,
            Role::PolicyManager => RoleName::PolicyManager,
            Role::Admin => RoleName::Admin,
            Role::Auditor => RoleName::Auditor,
        }
    }
}

/// A field that is absent, null, or has a value.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
