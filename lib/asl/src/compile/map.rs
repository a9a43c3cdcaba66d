//! The Map state's fields, inline and distributed.

use doxa_query::template::Template;
use serde_json::Value;

use super::Compiler;
use super::graph::Scope;
use crate::diagnostic::Code;
use crate::items::Format;
use crate::machine::{Batcher, Distributed, Flavour, Items, Kind, Language, Map, Reader, Writer};

type Fields = serde_json::Map<String, Value>;

/// Fields that only a distributed Map may have. AWS accepts the tolerances in an inline one too, without effect.
const DISTRIBUTED: [&str; 3] = ["ItemReader", "ItemBatcher", "ResultWriter"];

impl Compiler {
    pub(super) fn map(
        &mut self,
        at: &str,
        fields: &Fields,
        language: Language,
        scope: &Scope<'_>,
    ) -> Option<Kind> {
        let legacy = fields.contains_key("Iterator");
        let name = if legacy { "Iterator" } else { "ItemProcessor" };
        if !self.require(at, fields, &[name]) {
            return None;
        }
        let processor = self.object(at, fields, name)?;
        let processor_at = format!("{at}/{name}");
        let config = self.object(&processor_at, processor, "ProcessorConfig").cloned().unwrap_or_default();
        let distributed = config.get("Mode").is_some_and(|mode| mode == "DISTRIBUTED");
        self.allow(&processor_at, processor, &[&["ProcessorConfig", "StartAt", "States", "Comment"]]);
        let graph = self.graph(&processor_at, processor, scope.language, scope.depth + 1)?;
        // `Parameters` is the old name of `ItemSelector`.
        let selector = if fields.contains_key("ItemSelector") { "ItemSelector" } else { "Parameters" };
        Some(Kind::Map(Box::new(Map {
            processor: graph,
            items: self.items(at, fields, language),
            selector: self.template(at, fields, selector, language),
            max_concurrency: self.amount(at, fields, "MaxConcurrency", language),
            distributed: self.distributed(at, fields, language, distributed.then_some(&config)),
        })))
    }

    fn items(&mut self, at: &str, fields: &Fields, language: Language) -> Items {
        match (language, fields.get("Items")) {
            (Language::JsonPath, _) => self.path(at, fields, "ItemsPath").map_or(Items::Input, Items::Path),
            (Language::Jsonata, None) => Items::Input,
            (Language::Jsonata, Some(value)) => {
                let given =
                    value.is_array() || value.as_str().and_then(doxa_query::jsonata::enclosed).is_some();
                if !given {
                    self.schema(&format!("{at}/Items"), "Expected an array or a JSONata expression");
                }
                self.template(at, fields, "Items", language).map_or(Items::Input, Items::Template)
            }
        }
    }

    fn distributed(
        &mut self,
        at: &str,
        fields: &Fields,
        language: Language,
        config: Option<&Fields>,
    ) -> Option<Distributed> {
        let tolerated_count = self.amount(at, fields, "ToleratedFailureCount", language);
        let tolerated_percentage = self.amount(at, fields, "ToleratedFailurePercentage", language);
        let Some(config) = config else {
            for name in DISTRIBUTED.iter().filter(|name| fields.contains_key(**name)) {
                self.schema(&format!("{at}/{name}"), "Field is only supported in a Map of Mode DISTRIBUTED");
            }
            return None;
        };
        let express = config.get("ExecutionType").is_some_and(|kind| kind == "EXPRESS");
        let label = self.label(at, fields);
        Some(Distributed {
            flavour: if express { Flavour::Express } else { Flavour::Standard },
            label,
            reader: self.reader(at, fields, language),
            batcher: self.batcher(at, fields, language),
            writer: self.writer(at, fields, language),
            tolerated_count,
            tolerated_percentage,
        })
    }

    fn label(&mut self, at: &str, fields: &Fields) -> String {
        let Some(label) = self.string(at, fields, "Label") else { return String::new() };
        let place = format!("{at}/Label");
        if label.chars().count() > 40
            || label.contains(|c: char| c.is_whitespace() || "?*<>{}[]:;,\\|^~$#%&`\"".contains(c))
        {
            self.error(
                Code::InvalidLabelName,
                &place,
                "Label must have at most 40 characters, none of them special",
            );
        }
        if self.labels.iter().any(|known| known == label) {
            self.error(Code::DuplicateLabelName, &place, format!("Duplicate label: {label}"));
        }
        self.labels.push(label.to_owned());
        label.to_owned()
    }

    fn parameters(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Template> {
        let name = if language == Language::Jsonata { "Arguments" } else { "Parameters" };
        self.template(at, fields, name, language)
    }

    fn reader(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Reader> {
        let reader = self.object(at, fields, "ItemReader")?;
        let at = format!("{at}/ItemReader");
        if !self.require(&at, reader, &["Resource"]) {
            return None;
        }
        let resource = self.string(&at, reader, "Resource")?;
        if !["arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"].contains(&resource) {
            self.schema(
                &format!("{at}/Resource"),
                format!("The resource provided {resource} is not recognized."),
            );
        }
        let empty = Fields::new();
        let config = self.object(&at, reader, "ReaderConfig").unwrap_or(&empty);
        let format = Format::read(config).unwrap_or_else(|why| {
            self.schema(&format!("{at}/ReaderConfig"), why);
            Format::Json { pointer: None }
        });
        Some(Reader {
            resource: resource.to_owned(),
            parameters: self.parameters(&at, reader, language),
            format: if resource.ends_with("listObjectsV2") { Format::Listing } else { format },
            max_items: self.amount(&format!("{at}/ReaderConfig"), config, "MaxItems", language),
        })
    }

    fn batcher(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Batcher> {
        let batcher = self.object(at, fields, "ItemBatcher")?;
        let at = format!("{at}/ItemBatcher");
        Some(Batcher {
            max_items: self.amount(&at, batcher, "MaxItemsPerBatch", language),
            max_bytes: self.amount(&at, batcher, "MaxInputBytesPerBatch", language),
            input: self.template(&at, batcher, "BatchInput", language),
        })
    }

    fn writer(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Writer> {
        let writer = self.object(at, fields, "ResultWriter")?;
        let at = format!("{at}/ResultWriter");
        Some(Writer {
            resource: self.string(&at, writer, "Resource").map(str::to_owned),
            parameters: self.parameters(&at, writer, language),
            config: writer.get("WriterConfig").cloned().unwrap_or(Value::Null),
        })
    }
}
