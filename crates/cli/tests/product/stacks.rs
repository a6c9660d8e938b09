//! Several servers behind one address: each call goes to the server that it means, under that server's policy.

mod eras;
mod names;
mod searched;
mod sessions;
mod spanned;
mod streams;
mod tasks;
mod troubled;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::client::McpHttp;
use testkit::script::{Script, Tool};
use testkit::toolgate::{Setup, Toolgate, folder};
use testkit::upstream::Upstream;

use crate::setup::toolgate;

/// A gateway in front of two servers, `files` and `mail`, whose grant for both needs no token.
struct Stacked {
    files: Upstream,
    mail: Upstream,
    /// What the grant says beside its label and servers.
    grant: String,
    policies: Vec<(&'static str, Value)>,
    data: Arc<TempDir>,
}

impl Stacked {
    fn of(files: Script, mail: Script) -> anyhow::Result<Self> {
        let (files, mail) = (Upstream::start(files)?, Upstream::start(mail)?);
        let everything = json!({ "version": "1", "default": "allow" });
        let policies = vec![("files.json", everything.clone()), ("mail.json", everything)];
        let data = Arc::new(folder()?);
        Ok(Self { files, mail, grant: String::new(), policies, data })
    }

    /// Another policy in place of the one that allows everything.
    fn policy(mut self, file: &'static str, policy: Value) -> Self {
        self.policies.retain(|(known, _)| *known != file);
        self.policies.push((file, policy));
        self
    }

    /// More lines of the grant.
    fn grant(mut self, lines: &str) -> Self {
        self.grant.push_str(lines);
        self.grant.push('\n');
        self
    }

    fn serve(self) -> anyhow::Result<Serving> {
        let setup = self.setup()?;
        let policies = setup.folder().to_path_buf();
        Ok(Serving { toolgate: setup.serve()?, policies, stacked: self })
    }

    /// How it ends, where it refuses to serve this.
    fn refused(self) -> anyhow::Result<(ExitStatus, String)> {
        self.setup()?.refused()
    }

    fn setup(&self) -> anyhow::Result<Setup> {
        let Self { files, mail, grant, policies, data } = self;
        let setup = toolgate()?.data(data.path());
        for (file, policy) in policies {
            setup.file(file, &policy.to_string())?;
        }
        let config = format!(
            "listen = \"127.0.0.1:0\"\n[servers.files]\nurl = \"{}\"\npolicy = \"files.json\"\n[servers.mail]\nurl = \"{}\"\npolicy = \"mail.json\"\n[[grants]]\nlabel = \"agent\"\nservers = [\"files\", \"mail\"]\nanonymous = true\n{grant}",
            files.url(),
            mail.url(),
        );
        setup.config(&config)
    }
}

struct Serving {
    toolgate: Toolgate,
    /// Where the files of the policies lie.
    policies: PathBuf,
    stacked: Stacked,
}

impl Deref for Serving {
    type Target = Stacked;

    fn deref(&self) -> &Stacked {
        &self.stacked
    }
}

impl DerefMut for Serving {
    fn deref_mut(&mut self) -> &mut Stacked {
        &mut self.stacked
    }
}

impl Serving {
    fn url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}/mcp/", self.toolgate.address()?))
    }

    fn legacy(&self) -> anyhow::Result<McpHttp> {
        McpHttp::legacy(&self.url()?, None)
    }

    fn modern(&self) -> anyhow::Result<McpHttp> {
        McpHttp::modern(&self.url()?, None)
    }

    /// The same gateway, started again.
    fn again(mut self) -> anyhow::Result<Self> {
        self.toolgate.stop()?;
        self.stacked.serve()
    }

    /// Edits the file of a policy.
    fn edit(&self, file: &str, policy: &Value) -> anyhow::Result<()> {
        Ok(std::fs::write(self.policies.join(file), policy.to_string())?)
    }

    /// What it has decided.
    fn decided(&self) -> anyhow::Result<Vec<Value>> {
        toolgate()?.data(self.data.path()).decisions()
    }

    /// A client of each era.
    fn both(&self) -> anyhow::Result<[McpHttp; 2]> {
        Ok([self.legacy()?, self.modern()?])
    }
}

fn tools(names: &[&str]) -> Script {
    Script::with(names.iter().map(|name| Tool::named(name))).both_eras()
}
