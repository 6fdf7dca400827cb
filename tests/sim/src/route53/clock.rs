//! Calendar arithmetic: the three ways of writing an instant that AWS uses, from and to
//! `SystemTime`, all in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: u64,
    minute: u64,
    second: u64,
    /// 0 is Thursday, as 1 January 1970 was.
    weekday: usize,
}

/// Howard Hinnant's `civil_from_days`, with March as the first month of a year.
fn civil(time: SystemTime) -> Civil {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days as i64 + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * march_month + 2) / 5 + 1,
        hour: rest / 3_600,
        minute: rest % 3_600 / 60,
        second: rest % 60,
        weekday: (days % 7) as usize,
    }
}

/// `20150830T123600Z`, as in `x-amz-date`.
pub fn amz_date(time: SystemTime) -> String {
    let c = civil(time);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// `2015-08-30T12:36:00.000Z`, as in `SubmittedAt`.
pub fn iso(time: SystemTime) -> String {
    let c = civil(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`, as in `Date`.
pub fn http_date(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let c = civil(time);
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[c.weekday],
        c.day,
        MONTHS[c.month as usize - 1],
        c.year,
        c.hour,
        c.minute,
        c.second
    )
}

/// The inverse of [`amz_date`]; `None` for anything but exactly that form.
pub fn parse_amz_date(text: &str) -> Option<SystemTime> {
    let pattern = b"dddddddd\x54dddddd\x5a";
    let fits = text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, &form)| {
            if form == b'd' {
                byte.is_ascii_digit()
            } else {
                byte == form
            }
        });
    if !fits {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let march_year = if month <= 2 { year - 1 } else { year };
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    let days = u64::try_from(era * 146_097 + of_era - 719_468).ok()?;
    let seconds = (number(9..11)? * 3_600 + number(11..13)? * 60 + number(13..15)?) as u64;
    let time = UNIX_EPOCH + Duration::from_secs(days * 86_400 + seconds);
    // 30 February and 25 o'clock come out as another instant.
    (amz_date(time) == text).then_some(time)
}

/// This much later, or earlier if negative.
pub fn shift(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time - by } else { time + by }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_dates_on_both_sides_of_a_leap_day() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(amz_date(at(0)), "19700101T000000Z");
        assert_eq!(http_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(amz_date(at(1_440_938_160)), "20150830T123600Z");
        assert_eq!(iso(at(1_440_938_160)), "2015-08-30T12:36:00.000Z");
        assert_eq!(
            http_date(at(1_440_938_160)),
            "Sun, 30 Aug 2015 12:36:00 GMT"
        );
        for seconds in [951_782_399, 951_782_400, 951_868_800, 1_735_689_599] {
            assert_eq!(parse_amz_date(&amz_date(at(seconds))), Some(at(seconds)));
        }
        assert_eq!(amz_date(at(951_782_400)), "20000229T000000Z");
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "20150830",
            "2015-08-30T12:36:00Z",
            "20150830t123600Z",
            "20150230T000000Z",
            "20150830T250000Z",
            "20151330T000000Z",
            "20150830T123600+",
        ] {
            assert_eq!(parse_amz_date(text), None, "{text}");
        }
    }
}
