//! Each type of state's own fields, but for the Map's.

use std::sync::Arc;

use doxa_query::comparison::Test;
use doxa_query::path::Path;
use doxa_query::template::Template;
use doxa_query::timestamp;
use serde_json::{Map, Value};

use super::Compiler;
use super::graph::Scope;
use crate::diagnostic::Code;
use crate::machine::{Amount, ChoiceRule, Flavour, Kind, Language, Rule, Task, Until};
use crate::resource::{Family, Pattern, Resource};

type Fields = Map<String, Value>;

impl Compiler {
    pub(super) fn kind(
        &mut self,
        at: &str,
        kind: &str,
        fields: &Fields,
        language: Language,
        scope: &Scope<'_>,
    ) -> Option<Kind> {
        match kind {
            "Pass" => Some(self.pass(at, fields)),
            "Task" => self.task(at, fields, language),
            "Choice" => self.choice(at, fields, language, scope),
            "Wait" => self.wait(at, fields, language),
            "Succeed" => Some(Kind::Succeed),
            "Fail" => Some(Kind::Fail {
                error: self.text(at, fields, "Error", language),
                cause: self.text(at, fields, "Cause", language),
            }),
            "Parallel" => self.parallel(at, fields, scope),
            _ => self.map(at, fields, language, scope),
        }
    }

    fn pass(&mut self, at: &str, fields: &Fields) -> Kind {
        let result = fields.get("Result");
        let looks_dynamic = result.is_some_and(|result| {
            result.as_object().is_some_and(|fields| fields.keys().any(|key| key.ends_with(".$")))
        });
        if looks_dynamic {
            self.warn(
                Code::PassResultIsStatic,
                &format!("{at}/Result"),
                "Result is static: its `.$` fields are not evaluated",
            );
        }
        if let Some(result) = result {
            self.too_large(&format!("{at}/Result"), result);
        }
        Kind::Pass { result: result.map(|result| Arc::new(result.clone())) }
    }

    fn task(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Kind> {
        if !self.require(at, fields, &["Resource"]) {
            return None;
        }
        let arn = self.string(at, fields, "Resource")?;
        let place = format!("{at}/Resource");
        let Some(resource) = Resource::parse(arn) else {
            let message = format!(
                "The resource provided {arn} is not recognized. The value is not a valid resource ARN, \
                 or the resource is not available in this region."
            );
            self.schema(&place, message);
            return None;
        };
        if self.flavour == Flavour::Express {
            self.express(&place, &resource);
        }
        let timeout = self.amount(at, fields, "TimeoutSeconds", language);
        let heartbeat = self.amount(at, fields, "HeartbeatSeconds", language);
        if let (Some(Amount::Fixed(timeout)), Some(Amount::Fixed(heartbeat))) = (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            self.schema(&format!("{at}/HeartbeatSeconds"), "Value is not less than TimeoutSeconds");
        }
        Some(Kind::Task(Box::new(Task { resource, timeout, heartbeat })))
    }

    fn express(&mut self, at: &str, resource: &Resource) {
        match (&resource.family, resource.pattern) {
            (Family::Activity, _) => self.schema(at, "Express state machine does not support Activity ARN"),
            (_, Pattern::Sync) => {
                self.schema(at, "Express state machine does not support '.sync' service integration");
            }
            (_, Pattern::WaitForTaskToken) => {
                // The second space is AWS's.
                self.schema(
                    at,
                    "Express state machine does not support '.waitForTaskToken' service integration ",
                );
            }
            (_, Pattern::RequestResponse) => {}
        }
    }

    fn choice(&mut self, at: &str, fields: &Fields, language: Language, scope: &Scope<'_>) -> Option<Kind> {
        if !self.require(at, fields, &["Choices"]) {
            return None;
        }
        let items = self.array(at, fields, "Choices");
        if items.is_empty() {
            self.schema(&format!("{at}/Choices"), "Value cannot be empty");
        }
        let mut rules = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let at = format!("{at}/Choices[{n}]");
            match item.as_object() {
                Some(fields) => rules.extend(self.choice_rule(&at, fields, language, scope)),
                None => self.schema(&at, "Expected value of type Object"),
            }
        }
        let default = self.string(at, fields, "Default");
        let default = default.and_then(|name| self.target(at, "Default", name, scope));
        Some(Kind::Choice { rules, default })
    }

    fn choice_rule(
        &mut self,
        at: &str,
        fields: &Fields,
        language: Language,
        scope: &Scope<'_>,
    ) -> Option<ChoiceRule> {
        if !self.require(at, fields, &["Next"]) {
            return None;
        }
        let next = self.string(at, fields, "Next")?;
        let next = self.target(at, "Next", next, scope);
        let assign = self.assign(at, fields, language);
        let (rule, output) = if language == Language::Jsonata {
            (self.condition(at, fields), self.template(at, fields, "Output", language))
        } else {
            (self.rule(at, fields), None)
        };
        Some(ChoiceRule { rule: rule?, next: next?, assign, output })
    }

    fn condition(&mut self, at: &str, fields: &Fields) -> Option<Rule> {
        self.allow(at, fields, &[&["Condition", "Next", "Assign", "Output", "Comment"]]);
        match fields.get("Condition") {
            Some(Value::Bool(flag)) => Some(Rule::Condition(Template::Literal(Value::Bool(*flag)))),
            Some(_) => match self.expression(at, fields, "Condition") {
                Some(expression) => Some(Rule::Condition(expression)),
                None => {
                    self.schema(&format!("{at}/Condition"), "Expected a boolean or a JSONata expression");
                    None
                }
            },
            None => {
                self.require(at, fields, &["Condition"]);
                None
            }
        }
    }

    fn rule(&mut self, at: &str, fields: &Fields) -> Option<Rule> {
        for name in ["And", "Or"] {
            if fields.contains_key(name) {
                let items = self.array(at, fields, name);
                let inner = items
                    .iter()
                    .enumerate()
                    .filter_map(|(n, item)| self.rule(&format!("{at}/{name}[{n}]"), item.as_object()?));
                let inner: Vec<_> = inner.collect();
                return Some(if name == "And" { Rule::All(inner) } else { Rule::Any(inner) });
            }
        }
        if fields.contains_key("Not") {
            let inner = self.object(at, fields, "Not")?;
            return Some(Rule::Not(Box::new(self.rule(&format!("{at}/Not"), inner)?)));
        }
        self.test(at, fields)
    }

    fn test(&mut self, at: &str, fields: &Fields) -> Option<Rule> {
        if !self.require(at, fields, &["Variable"]) {
            return None;
        }
        let text = self.string(at, fields, "Variable")?;
        let Ok(variable) = Path::parse(text) else {
            self.schema(&format!("{at}/Variable"), "Value is not a Reference Path");
            return None;
        };
        let mut tests = Vec::new();
        for (key, operand) in fields {
            match Test::parse(key, operand) {
                Some(Ok(test)) => tests.push(test),
                Some(Err(why)) => self.schema(&format!("{at}/{key}"), why),
                None if ["Variable", "Next", "Assign", "Comment"].contains(&key.as_str()) => {}
                None => self.schema(&format!("{at}/{key}"), "Field is not supported"),
            }
        }
        if tests.len() != 1 {
            self.schema(at, "Exactly one comparison operator is required");
        }
        Some(Rule::Test { variable, test: tests.pop()? })
    }

    fn wait(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Kind> {
        let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let given: Vec<_> = names.iter().filter(|name| fields.contains_key(**name)).collect();
        let [name] = given.as_slice() else {
            self.schema(
                at,
                "Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath]",
            );
            return None;
        };
        let expression = language == Language::Jsonata && fields.get(**name).is_some_and(Value::is_string);
        let until = match **name {
            "Seconds" if expression => Until::SecondsExpression(self.expression(at, fields, "Seconds")?),
            "Seconds" => Until::Seconds(self.whole(at, fields, "Seconds", 0, 99_999_999)?),
            "SecondsPath" => Until::SecondsPath(self.path(at, fields, "SecondsPath")?),
            "TimestampPath" => Until::TimestampPath(self.path(at, fields, "TimestampPath")?),
            _ => {
                let text = self.string(at, fields, "Timestamp")?;
                if expression && doxa_query::jsonata::enclosed(text).is_some() {
                    return Some(Kind::Wait(Until::TimestampExpression(self.expression(
                        at,
                        fields,
                        "Timestamp",
                    )?)));
                }
                let Some(instant) = timestamp::parse(text) else {
                    self.schema(&format!("{at}/Timestamp"), "String does not match RFC3339 timestamp");
                    return None;
                };
                Until::Timestamp(instant)
            }
        };
        Some(Kind::Wait(until))
    }

    fn parallel(&mut self, at: &str, fields: &Fields, scope: &Scope<'_>) -> Option<Kind> {
        if !self.require(at, fields, &["Branches"]) {
            return None;
        }
        let items = self.array(at, fields, "Branches");
        if items.is_empty() {
            self.schema(&format!("{at}/Branches"), "Value cannot be empty");
        }
        // Inner graphs inherit the machine's language, not that of the state which holds them.
        let mut branches = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let at = format!("{at}/Branches[{n}]");
            match item.as_object() {
                Some(fields) => {
                    self.allow(&at, fields, &[&["StartAt", "States", "Comment"]]);
                    branches.extend(self.graph(&at, fields, scope.language, scope.depth + 1));
                }
                None => self.schema(&at, "Expected value of type Object"),
            }
        }
        Some(Kind::Parallel { branches })
    }
}
