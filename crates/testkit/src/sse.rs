//! Server-sent events, read and written the plain way.

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// `event`, empty when it was not given.
    pub kind: String,
    /// `id`.
    pub id: Option<String>,
    /// `data`, lines joined.
    pub data: String,
    /// `retry`.
    pub retry: Option<String>,
}

/// Collects bytes and gives the events that are complete. Only for tests: bytes that are not
/// UTF-8 are replaced.
#[derive(Debug, Default)]
pub struct Reader {
    pending: Vec<u8>,
    event: Event,
    touched: bool,
}

impl Reader {
    /// Takes bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                if std::mem::take(&mut self.touched) {
                    events.push(std::mem::take(&mut self.event));
                }
            } else {
                self.field(line);
            }
        }
        events
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if self.touched && !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.event.kind),
            "id" => self.event.id = Some(value.to_owned()),
            "retry" => self.event.retry = Some(value.to_owned()),
            _ => return,
        }
        self.touched = true;
    }
}

/// An event with `data`, and an id if there is one.
pub fn write(id: Option<&str>, data: &str) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let data: String = data.lines().map(|line| format!("data: {line}\n")).collect();
    let data = if data.is_empty() { "data: \n".to_owned() } else { data };
    format!("event: message\n{id}{data}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut reader = Reader::default();
        let text = format!(": comment\r\n\r\nretry: 5\nid: 1\ndata:\n\n{}", write(Some("2"), "{\n}"));
        let events: Vec<Event> = text.bytes().flat_map(|byte| reader.push(&[byte])).collect();
        assert_eq!(events.len(), 2);
        assert_eq!(events[0], Event { id: Some("1".into()), retry: Some("5".into()), ..Event::default() });
        assert_eq!(events[1].data, "{\n}");
    }
}
