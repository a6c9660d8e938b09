//! The schemas of requests and answers, as the types say them.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::route::Route;

/// All of them.
#[derive(Debug)]
pub(crate) struct Schemas {
    /// Those that others refer to, by name.
    pub(crate) named: Map<String, Value>,
    requests: BTreeMap<&'static str, Value>,
    answers: BTreeMap<&'static str, Value>,
}

impl Schemas {
    /// Those of a table.
    pub(crate) fn of(routes: &[Route]) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let mut generator = SchemaGenerator::new(settings);
        let mut made = |schema: fn(&mut SchemaGenerator) -> Schema| schema(&mut generator).to_value();
        let requests = routes.iter().filter_map(|route| Some((route.name, made(route.request?)))).collect();
        let answers = routes.iter().map(|route| (route.name, made(route.answer))).collect();
        let named = generator.take_definitions(true);
        Self { named, requests, answers }
    }

    /// What a route takes.
    pub(crate) fn request(&self, route: &Route) -> Option<&Value> {
        self.requests.get(route.name)
    }

    /// What a route answers.
    pub(crate) fn answer(&self, route: &Route) -> Option<&Value> {
        self.answers.get(route.name)
    }
}
