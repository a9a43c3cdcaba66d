//! Resource ARNs of tasks: which event family they write, and how they are named in history.

/// A recognised Resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) arn: String,
    pub(crate) family: Family,
    pub(crate) pattern: Pattern,
}

/// The family of history events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// A bare function ARN: `LambdaFunction…` events.
    Lambda,
    /// `Activity…` events.
    Activity,
    /// `arn:aws:states:::service:action`: `Task…` events with `resourceType` and `resource`.
    Service { kind: String, action: String },
}

/// How a service integration waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    RequestResponse,
    Sync,
    WaitForTaskToken,
}

/// The optimised integrations and their actions, as AWS lists them; an unknown one is refused, never skipped.
const OPTIMISED: &[(&str, &[&str])] = &[
    ("lambda", &["invoke"]),
    ("sqs", &["sendMessage"]),
    ("sns", &["publish"]),
    ("dynamodb", &["getItem", "putItem", "updateItem", "deleteItem"]),
    ("states", &["startExecution"]),
    ("events", &["putEvents"]),
    ("batch", &["submitJob"]),
    ("ecs", &["runTask"]),
    ("glue", &["startJobRun"]),
    ("databrew", &["startJobRun"]),
    ("athena", &["startQueryExecution", "stopQueryExecution", "getQueryExecution", "getQueryResults"]),
    ("apigateway", &["invoke"]),
    ("http", &["invoke"]),
    ("bedrock", &["invokeModel", "createModelCustomizationJob"]),
    ("codebuild", &["startBuild", "stopBuild", "batchDeleteBuilds", "batchGetReports", "startBuildBatch"]),
    ("eks", &["call", "runJob", "createCluster", "deleteCluster", "createNodegroup", "deleteNodegroup"]),
    (
        "elasticmapreduce",
        &["createCluster", "terminateCluster", "addStep", "cancelStep", "modifyInstanceGroupByName"],
    ),
    ("emr-containers", &["startJobRun", "createVirtualCluster", "deleteVirtualCluster"]),
    (
        "emr-serverless",
        &["startJobRun", "cancelJobRun", "createApplication", "startApplication", "stopApplication"],
    ),
    ("mediaconvert", &["createJob"]),
    (
        "sagemaker",
        &[
            "createTrainingJob",
            "createTransformJob",
            "createEndpoint",
            "createEndpointConfig",
            "createHyperParameterTuningJob",
            "createLabelingJob",
            "createModel",
            "createProcessingJob",
            "updateEndpoint",
        ],
    ),
];

impl Resource {
    /// Recognises an ARN; `None` where AWS would say that the resource is not recognised.
    pub(crate) fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        // `${Placeholder}` is what templates ship before deployment fills in a function's ARN.
        if parts.len() != 6 {
            return (arn.starts_with("${") && arn.ends_with('}')).then(|| Self::of(arn, Family::Lambda));
        }
        let (service, rest) = parts[5].split_once(':')?;
        match (parts[2], service) {
            ("lambda", "function") if !rest.is_empty() => Some(Self::of(arn, Family::Lambda)),
            ("states", "activity") if !rest.is_empty() => Some(Self::of(arn, Family::Activity)),
            ("states", "aws-sdk") if parts[3].is_empty() => {
                rest.split_once(':').and_then(|(a, b)| Self::sdk(arn, a, b))
            }
            ("states", service) if parts[3].is_empty() => Self::optimised(arn, service, rest),
            _ => None,
        }
    }

    fn of(arn: &str, family: Family) -> Self {
        Self { arn: arn.to_owned(), family, pattern: Pattern::RequestResponse }
    }

    fn optimised(arn: &str, service: &str, action: &str) -> Option<Self> {
        let (base, pattern) = Pattern::split(action)?;
        let actions = OPTIMISED.iter().find(|row| row.0 == service)?.1;
        actions.contains(&base).then(|| Self::service(arn, service.to_owned(), action, pattern))
    }

    fn sdk(arn: &str, service: &str, action: &str) -> Option<Self> {
        let (base, pattern) = Pattern::split(action)?;
        let camel = base.starts_with(|c: char| c.is_ascii_lowercase())
            && base.bytes().all(|b| b.is_ascii_alphanumeric());
        let known = camel && pattern != Pattern::Sync && service.bytes().all(|b| b.is_ascii_alphanumeric());
        (known && !service.is_empty())
            .then(|| Self::service(arn, format!("aws-sdk:{service}"), action, pattern))
    }

    fn service(arn: &str, kind: String, action: &str, pattern: Pattern) -> Self {
        Self { arn: arn.to_owned(), family: Family::Service { kind, action: action.to_owned() }, pattern }
    }
}

impl Pattern {
    fn split(action: &str) -> Option<(&str, Self)> {
        match action.split_once('.') {
            None => Some((action, Self::RequestResponse)),
            Some((base, "sync" | "sync:2")) => Some((base, Self::Sync)),
            Some((base, "waitForTaskToken")) => Some((base, Self::WaitForTaskToken)),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_resources_are_recognised() {
        let rows = [
            ("arn:aws:states:::lambda:invoke", true),
            ("arn:aws:states:::lambda:invoke.waitForTaskToken", true),
            ("arn:aws:states:::states:startExecution.sync:2", true),
            ("arn:aws:states:::dynamodb:query", false),
            ("arn:aws:states:::aws-sdk:dynamodb:query", true),
            ("arn:aws:states:::aws-sdk:s3:GetObject", false),
            ("arn:aws:states:::nothing:invoke", false),
            ("arn:aws:states:::sqs:sendMessage.later", false),
            ("arn:aws:lambda:us-east-1:1:function:f:alias", true),
            ("arn:aws:states:us-east-1:1:activity:a", true),
            ("${LambdaArn}", true),
            ("", false),
            ("arn:aws:s3:::bucket", false),
        ];
        for (arn, known) in rows {
            assert_eq!(Resource::parse(arn).is_some(), known, "{arn}");
        }
    }
}
