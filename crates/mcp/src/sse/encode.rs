/// The bytes of one event. `id` and `event` must hold no line end; what stands behind one is left out. Data may have
/// several lines.
#[must_use]
pub fn write_event(id: Option<&[u8]>, event: Option<&[u8]>, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 64);
    field(&mut out, b"id", id);
    field(&mut out, b"event", event);
    let mut rest = data;
    while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
        field(&mut out, b"data", rest.get(..end));
        let pair = rest.get(end..end + 2) == Some(&b"\r\n"[..]);
        rest = rest.get(end + 1 + usize::from(pair)..).unwrap_or_default();
    }
    field(&mut out, b"data", Some(rest));
    out.push(b'\n');
    out
}

/// The bytes of an event under another id; all other lines stay as they are. `id` must hold no line end.
#[must_use]
pub fn with_id(raw: &[u8], id: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + id.len());
    let mut rest = raw;
    while !rest.is_empty() {
        let pair = |end: usize| rest.get(end..end + 2) == Some(&b"\r\n"[..]);
        let end = memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |end| end + 1 + usize::from(pair(end)));
        let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = behind;
        let is_id = line.strip_prefix(b"id").is_some_and(|after| matches!(after.first(), Some(b':' | b'\n' | b'\r')));
        if is_id { field(&mut out, b"id", Some(id)) } else { out.extend_from_slice(line) }
    }
    out
}

/// The bytes of a comment, which keeps a connection alive and means nothing else. Must hold no line end.
#[must_use]
pub fn comment(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 4);
    field(&mut out, b"", Some(text.as_bytes()));
    out.push(b'\n');
    out
}

fn field(out: &mut Vec<u8>, name: &[u8], value: Option<&[u8]>) {
    let Some(value) = value else { return };
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    let line = value.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    out.extend_from_slice(line);
    out.push(b'\n');
}
