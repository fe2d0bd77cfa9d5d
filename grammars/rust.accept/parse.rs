use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone)]
pub struct Entry<'a> {
    name: &'a str,
    pub count: usize,
}

/// Counts the words of a text.
#[must_use]
pub(crate) fn count<'a, T: AsRef<str> + Clone>(text: &'a T, limit: Option<usize>) -> Result<Vec<Entry<'a>>, String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    // Words are separated by white space.
    for word in text.as_ref().split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
        if let Some(limit) = limit && counts.len() > limit {
            return Err(format!("more than {limit} words"));
        }
    }
    let Some(first) = counts.keys().next() else {
        return Ok(vec![]);
    };
    let kind = match first.chars().next() {
        Some('a'..='z' | 'A'..='Z') => 1,
        Some(c) if c.is_numeric() => 2,
        None | Some(_) => {
            0
        }
    };
    let mut entries: Vec<_> = counts
        .iter()
        .map(|(&name, &count)| Entry { name, count: count + kind as usize })
        .collect();
    entries.sort_by(|a, b| b.count.cmp(&a.count));
    Ok(entries)
}
