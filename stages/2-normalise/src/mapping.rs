//! Which column holds what: by the names that exporters use, or as the user says.

use std::collections::BTreeMap;

use doxa_schema::{DateOrder, Field};

/// Names by which exporters call a field, the most telling first; written as [`plain`] gives them.
fn aliases(field: Field) -> &'static [&'static str] {
    match field {
        Field::Text => &[
            "text",
            "commenttext",
            "comment",
            "body",
            "content",
            "message",
            "fulltext",
            "textoriginal",
            "textdisplay",
            "review",
            "reviewtext",
            "reviewbody",
            "tweet",
            "selftext",
            "utterance",
            "transcript",
            "sentence",
        ],
        Field::Id => &["id", "commentid", "cid", "reviewid", "tweetid", "messageid", "postid", "uuid"],
        Field::CreatedAt => &[
            "createdat",
            "createdutc",
            "createtimeiso",
            "createtime",
            "commenttime",
            "publishedat",
            "postedat",
            "createddate",
            "datecreated",
            "timestamp",
            "datetime",
            "commentdate",
            "reviewdate",
            "created",
            "date",
            "time",
        ],
        Field::Author => &[
            "author",
            "username",
            "authorusername",
            "uniqueid",
            "authoruniqueid",
            "authordisplayname",
            "authorname",
            "user",
            "userid",
            "authorid",
            "uid",
            "handle",
            "speaker",
            "reviewer",
            "screenname",
        ],
        Field::Parent => &[
            "parentid",
            "parentcommentid",
            "parent",
            "replytowhichcomment",
            "repliestoid",
            "inreplyto",
            "inreplytoid",
            "replyto",
        ],
        Field::Thread => &[
            "linkid",
            "threadid",
            "videoid",
            "awemeid",
            "submissionid",
            "conversationid",
            "videoweburl",
            "classid",
        ],
        Field::Likes => &[
            "likes",
            "likecount",
            "diggcount",
            "score",
            "upvotes",
            "ups",
            "likescount",
            "favoritecount",
            "favourites",
            "thumbsup",
        ],
        Field::Replies => {
            &["replies", "replycount", "replycommenttotal", "numreplies", "repliescount", "numcomments"]
        }
        Field::Language => &["language", "lang"],
    }
}

/// A name without its case, blanks and punctuation: `Comment ID`, `comment_id` and `commentId` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A kind of export whose form is known better than its header says.
pub(crate) struct Known {
    /// Its name, for the user.
    pub(crate) name: &'static str,
    /// Columns that tell it.
    columns: &'static [&'static str],
    /// How it writes dates.
    pub(crate) dates: Option<DateOrder>,
}

const KNOWN: &[Known] = &[
    Known {
        name: "a TTCommentExporter file (TikTok)",
        columns: &["commentid", "replytowhichcomment", "comment", "commenttime", "diggcount"],
        dates: Some(DateOrder::DayFirst),
    },
    Known {
        name: "comments of Reddit's API",
        columns: &["body", "createdutc", "linkid", "parentid", "subreddit"],
        dates: None,
    },
];

/// The known kind of export that these columns are.
pub(crate) fn recognise(columns: &[String]) -> Option<&'static Known> {
    let names: Vec<_> = columns.iter().map(|column| plain(column)).collect();
    KNOWN.iter().find(|known| known.columns.iter().all(|wanted| names.iter().any(|name| name == wanted)))
}

/// Why the columns of a file could not be mapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The user named a column that is not there.
    #[error("there is no column `{column}` for the {field}{}; the columns are {}", close(.suggestion.as_ref()), listed(.columns))]
    Unknown {
        /// What it was to hold.
        field: Field,
        /// The name given.
        column: String,
        /// The name that is closest to it.
        suggestion: Option<String>,
        /// All names.
        columns: Vec<String>,
    },
    /// Nothing looks like the text.
    #[error("no column looks like the text; the columns are {}", listed(.columns))]
    NoText {
        /// All names.
        columns: Vec<String>,
    },
    /// The first row does not hold names.
    #[error("the first row does not look like column names: {}", listed(.columns))]
    NoHeader {
        /// What it holds.
        columns: Vec<String>,
    },
}

fn close(suggestion: Option<&String>) -> String {
    suggestion.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    let short = |name: &String| match name.char_indices().nth(40) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    };
    let names: Vec<_> = columns.iter().take(SHOWN).map(short).collect();
    let more =
        if columns.len() > SHOWN { format!(" and {} more", columns.len() - SHOWN) } else { String::new() };
    names.join(", ") + &more
}

/// Maps the columns: what the user wishes first, the rest by their names.
pub(crate) fn find(
    columns: &[String],
    wishes: &BTreeMap<Field, String>,
) -> Result<BTreeMap<Field, String>, MappingError> {
    let mut mapping = BTreeMap::new();
    for (field, column) in wishes.iter().filter(|(_, column)| !column.is_empty()) {
        mapping.insert(*field, wished(columns, *field, column)?);
    }
    for field in Field::ALL {
        // An empty wish is one too: that the field be left alone.
        if !mapping.contains_key(&field)
            && !wishes.contains_key(&field)
            && let Some(column) = by_name(columns, field, &mapping)
        {
            mapping.insert(field, column);
        }
    }
    if mapping.contains_key(&Field::Text) {
        return Ok(mapping);
    }
    let columns = columns.to_vec();
    Err(if mapping.is_empty() && columns.iter().any(|cell| is_data(cell)) {
        MappingError::NoHeader { columns }
    } else {
        MappingError::NoText { columns }
    })
}

fn wished(columns: &[String], field: Field, wish: &str) -> Result<String, MappingError> {
    let exact = columns.iter().find(|column| *column == wish);
    let found = exact.or_else(|| columns.iter().find(|column| plain(column) == plain(wish)));
    found.cloned().ok_or_else(|| {
        let closeness = |column: &&String| strsim::jaro_winkler(&plain(column), &plain(wish));
        let closest = columns.iter().max_by(|a, b| closeness(a).total_cmp(&closeness(b)));
        let suggestion = closest.filter(|column| closeness(column) > 0.8).cloned();
        MappingError::Unknown { field, column: wish.to_owned(), suggestion, columns: columns.to_vec() }
    })
}

fn by_name(columns: &[String], field: Field, taken: &BTreeMap<Field, String>) -> Option<String> {
    let free = |column: &&String| !taken.values().any(|other| other == *column);
    // A name as it is before the last part of a path: `id` rather than `user.id`.
    let names: [fn(&str) -> String; 2] = [plain, |path| plain(path.rsplit('.').next().unwrap_or(path))];
    // The id of a user, nested below the comment, is not the comment's.
    let depths = if matches!(field, Field::Id) { &names[..1] } else { &names[..] };
    depths.iter().find_map(|name| {
        aliases(field)
            .iter()
            .find_map(|alias| columns.iter().filter(free).find(|column| name(column) == *alias))
            .cloned()
    })
}

/// Whether a cell of a first row is a value rather than a name: a number, or a sentence.
fn is_data(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    cell.len() > 40 || cell.split_whitespace().count() > 4 || (digits > 0 && digits * 2 >= cell.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Vec<String> {
        header.split(',').map(|name| name.trim().to_owned()).collect()
    }

    fn mapped(header: &str, wishes: &[(Field, &str)]) -> String {
        let wishes = wishes.iter().map(|(field, column)| (*field, (*column).to_owned())).collect();
        match find(&columns(header), &wishes) {
            Ok(mapping) => mapping
                .iter()
                .map(|(field, column)| format!("{field}={column}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn columns_find_their_fields() {
        let rows: [(&str, &[(Field, &str)], &str); 12] = [
            ("id,text", &[], "text=text id=id"),
            (
                "Comment ID,Reply to Which Comment,User ID,Username,Nick Name,Comment,Comment Time,Digg Count,Author Digged,Reply Count,Pinned to Top,User Homepage",
                &[],
                "text=Comment id=Comment ID created_at=Comment Time author=Username parent=Reply to Which Comment likes=Digg Count replies=Reply Count",
            ),
            (
                "comment_id,video_id,username,text,create_time,like_count,reply_count,parent_comment_id",
                &[],
                "text=text id=comment_id created_at=create_time author=username parent=parent_comment_id thread=video_id likes=like_count replies=reply_count",
            ),
            (
                "cid,text,createTime,createTimeISO,diggCount,replyCommentTotal,repliesToId,uid,uniqueId,videoWebUrl",
                &[],
                "text=text id=cid created_at=createTimeISO author=uniqueId parent=repliesToId thread=videoWebUrl likes=diggCount replies=replyCommentTotal",
            ),
            ("text,user.id,user.name", &[(Field::Author, "user.name")], "text=text author=user.name"),
            ("Message,When", &[(Field::CreatedAt, "when")], "text=Message created_at=When"),
            ("note,id", &[(Field::Text, "note")], "text=note id=id"),
            (
                "id,comment",
                &[(Field::Text, "coment")],
                "there is no column `coment` for the text (did you mean `comment`?); the columns are `id`, `comment`",
            ),
            ("a,b", &[], "no column looks like the text; the columns are `a`, `b`"),
            (
                "17,I love this phone so much",
                &[],
                "the first row does not look like column names: `17`, `I love this phone so much`",
            ),
            ("id,comment", &[(Field::Text, "id")], "text=id"),
            ("id,text,score", &[(Field::Likes, "")], "text=text id=id"),
        ];
        for (header, wishes, wanted) in rows {
            assert_eq!(mapped(header, wishes), wanted, "{header}");
        }
    }

    #[test]
    fn known_exports_are_recognised() {
        let header = columns("Comment ID,Reply to Which Comment,User ID,Comment,Comment Time,Digg Count");
        assert_eq!(recognise(&header).unwrap().dates, Some(DateOrder::DayFirst));
        assert!(recognise(&columns("id,text")).is_none());
    }
}
