//! Addresses and messages for the tests of several files.

use std::net::IpAddr;

pub const V4: &[u8] = &[192, 0, 2, 1];
pub const V6: &[u8] = &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

/// A reply to the question in this message, with these records, each given by type and data.
pub fn reply(message: &[u8], code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut reply = message.to_vec();
    reply[2] = 0x81;
    reply[3] = 0x80 | code;
    reply[7] = records.len() as u8;
    for (kind, data) in records {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
        reply.extend(*data);
    }
    reply
}
