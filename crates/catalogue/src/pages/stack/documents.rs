//! A stack as other tools read it: SARIF for code scanning, CycloneDX for inventories. The same catalogue
//! always gives the same document: no clock, no random number.

use aws_lc_rs::digest::{SHA256, digest};
use policy::Class;
use risk::Severity;
use risk::findings::Level;
use risk::sarif::{Entry, Log, logical, rule_of, weight, weight_of_chain};
use serde_json::{Map, Value, json};

use super::{Member, Stack, Way};

impl Stack {
    /// Attacks across servers, look-alikes and critical tools as SARIF 2.1.0.
    #[must_use]
    pub fn sarif(&self) -> Value {
        let mut log = Log::default();
        for flow in self.flows() {
            let who = |step: &super::Step| -> String {
                let all = step
                    .servers
                    .iter()
                    .flat_map(|who| who.tools.iter().map(move |tool| format!("{}/{}", who.server, tool.name)));
                format!("{}: {}", step.role, all.collect::<Vec<_>>().join(", "))
            };
            let steps: Vec<String> = flow.steps.iter().map(who).collect();
            let first = flow.steps.iter().filter_map(|step| {
                let who = step.servers.first()?;
                Some(located(&who.server, &who.tools.first()?.name))
            });
            log.add(Entry {
                rule: flow.pattern,
                level: Level::Warning,
                weight: weight_of_chain(flow.severity),
                why: flow.says,
                message: format!("{} {}. {}", flow.says, steps.join("; "), flow.remedy),
                fingerprint: fingerprint(&[flow.pattern, &self.named_servers()]),
                locations: first.collect(),
            });
        }
        for alike in self.alike() {
            let tool = |named: &Option<super::Named>| named.as_ref().map(|tool| tool.name.clone()).unwrap_or_default();
            let (here, there) = (tool(&alike.tool), tool(&alike.other_tool));
            log.add(Entry {
                rule: alike.rule,
                level: alike.level,
                weight: weight(alike.level),
                why: alike.why,
                message: format!(
                    "{}/{here}, {}/{there}: {} Words: “{}”.",
                    alike.server, alike.other_server, alike.why, alike.text
                ),
                fingerprint: fingerprint(&[alike.rule, &alike.server, &here, &alike.other_server, &there]),
                locations: vec![located(&alike.server, &here), located(&alike.other_server, &there)],
            });
        }
        for (member, tool) in self.riskiest() {
            if tool.assessment.severity_fine < Severity::Critical {
                continue;
            }
            let (name, class) = (tool.tool.name.as_str(), tool.assessment.class.as_str());
            let (rule, why) = rule_of(Severity::Critical);
            log.add(Entry {
                rule,
                level: Level::Note,
                weight: weight_of_chain(Severity::Critical),
                why,
                message: format!("{}/{name} is {class}: {why}", member.label),
                fingerprint: fingerprint(&[rule, &member.server.slug, name]),
                locations: vec![located(&member.label, name)],
            });
        }
        log.document("toolgate-stack/", &[])
    }

    /// The servers as services, and their packages as components, in CycloneDX 1.6.
    #[must_use]
    pub fn sbom(&self) -> Value {
        let services: Vec<Value> = self.members.iter().map(Member::service).collect();
        let components: Vec<Value> = self.members.iter().filter_map(Member::component).collect();
        let dependencies: Vec<Value> = self
            .members
            .iter()
            .filter(|member| member.component().is_some())
            .map(|member| json!({ "ref": member.reference(), "dependsOn": [member.package_reference()] }))
            .collect();
        let mut metadata = Map::new();
        // When the newest of it was seen: the document says nothing younger.
        metadata.extend(
            self.members
                .iter()
                .map(|member| member.server.last_seen)
                .max()
                .map(|seen| ("timestamp".to_owned(), Value::from(seen.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))),
        );
        metadata.insert(
            "tools".to_owned(),
            json!({ "components": [{ "type": "application", "name": "toolgate", "version": env!("CARGO_PKG_VERSION") }] }),
        );
        metadata.insert(
            "component".to_owned(),
            json!({ "type": "application", "bom-ref": "stack", "name": "Tools of an agent" }),
        );
        json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": metadata,
            "components": components,
            "services": services,
            "dependencies": dependencies,
        })
    }

    fn named_servers(&self) -> String {
        self.members.iter().map(|member| member.server.slug.as_str()).collect::<Vec<_>>().join(",")
    }
}

impl Member {
    fn reference(&self) -> String {
        format!("server:{}", self.server.slug)
    }

    fn package_reference(&self) -> String {
        format!("package:{}", self.server.slug)
    }

    fn service(&self) -> Value {
        let mut service = Map::new();
        service.insert("bom-ref".to_owned(), self.reference().into());
        service.extend(self.server.publisher.as_ref().map(|by| ("provider".to_owned(), json!({ "name": by }))));
        service.insert("name".to_owned(), self.label.clone().into());
        service.extend(self.server.description.clone().map(|text| ("description".to_owned(), text.into())));
        if let Way::Url { url } = Way::of(&self.server) {
            service.insert("endpoints".to_owned(), json!([url]));
        }
        service.extend(
            self.server.licence.as_ref().map(|name| ("licenses".to_owned(), json!([{ "license": { "name": name } }]))),
        );
        let source = self.server.repository.as_ref().filter(|url| url.starts_with("https://"));
        service.extend(source.map(|url| ("externalReferences".to_owned(), json!([{ "type": "vcs", "url": url }]))));
        let mut properties = vec![property("toolgate:tools", self.tools.len())];
        for class in Class::ALL {
            let count = self.tools.iter().filter(|tool| tool.assessment.class == class).count();
            if count > 0 {
                properties.push(property(&format!("toolgate:class:{}", class.as_str()), count));
            }
        }
        for severity in [Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
            let count = self.tools.iter().filter(|tool| tool.assessment.severity_fine == severity).count();
            if count > 0 {
                properties.push(property(&format!("toolgate:severity:{}", severity.as_str()), count));
            }
        }
        service.insert("properties".to_owned(), properties.into());
        Value::Object(service)
    }

    fn component(&self) -> Option<Value> {
        let package = self.server.package.as_deref()?;
        let purl = match self.server.registry.as_deref()? {
            "npm" => format!(
                "pkg:npm/{}",
                package.to_lowercase().replacen('@', "%40", usize::from(package.starts_with('@')))
            ),
            "pypi" => format!("pkg:pypi/{}", package.to_lowercase().replace('_', "-")),
            "nuget" => format!("pkg:nuget/{package}"),
            _ => return Some(json!({ "type": "application", "bom-ref": self.package_reference(), "name": package })),
        };
        let plain = package.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@/._-".contains(&byte));
        let mut component = json!({ "type": "application", "bom-ref": self.package_reference(), "name": package });
        if plain && let Some(members) = component.as_object_mut() {
            members.insert("purl".to_owned(), purl.into());
        }
        Some(component)
    }
}

fn property(name: &str, count: usize) -> Value {
    json!({ "name": name, "value": count.to_string() })
}

fn located(server: &str, tool: &str) -> Value {
    json!({ "logicalLocations": logical(server, tool) })
}

fn fingerprint(parts: &[&str]) -> String {
    let sum = digest(&SHA256, parts.join("\0").as_bytes());
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
