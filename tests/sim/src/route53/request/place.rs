//! The elements that say where askers or resources are. A place that the model forbids is
//! `InvalidInput`, as it says of a continent beside a country; the words are ours where the
//! model has no constraint for it.

use super::super::error::ApiError;
use super::super::model::CONTINENTS;
use super::super::place::{CidrRouting, Coordinates, GeoLocation, GeoProximity};
use super::super::schema::{Order, fields, length, number, optional, pattern, required, text_of};
use roxmltree::Node;

pub(super) fn location(order: Order, node: Node) -> Result<GeoLocation, ApiError> {
    let [continent, country, subdivision] = fields(
        order,
        node,
        ["ContinentCode", "CountryCode", "SubdivisionCode"],
    )?;
    let location = GeoLocation {
        continent_code: optional(continent)?,
        country_code: optional(country)?,
        subdivision_code: optional(subdivision)?,
    };
    if let Some(code) = &location.continent_code {
        length(code, 2..=2, "geoLocation.continentCode")?;
    }
    if let Some(code) = &location.country_code {
        length(code, 1..=2, "geoLocation.countryCode")?;
    }
    if let Some(code) = &location.subdivision_code {
        length(code, 1..=3, "geoLocation.subdivisionCode")?;
    }
    check_location(&location)?;
    Ok(location)
}

/// What the documentation of `GeoLocation` says. Which countries and states there are is not
/// known here: any two capital letters will do.
fn check_location(location: &GeoLocation) -> Result<(), ApiError> {
    let two_letters = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    let codes = (
        location.continent_code.as_deref(),
        location.country_code.as_deref(),
        location.subdivision_code.as_deref(),
    );
    let known = match codes {
        (Some(continent), None, None) => CONTINENTS.contains(&continent),
        (None, Some("*"), None) => true,
        (None, Some(country), None) => two_letters(country),
        (None, Some("US"), Some(state)) => two_letters(state),
        _ => false,
    };
    if known {
        return Ok(());
    }
    Err(ApiError::invalid_input(format!(
        "Invalid request: '{location}' is not a geographic location that Route 53 supports"
    )))
}

pub(super) fn proximity(order: Order, node: Node) -> Result<GeoProximity, ApiError> {
    let [region, group, at, bias] = fields(
        order,
        node,
        ["AWSRegion", "LocalZoneGroup", "Coordinates", "Bias"],
    )?;
    let location = GeoProximity {
        aws_region: optional(region)?,
        local_zone_group: optional(group)?,
        coordinates: at.map(|node| coordinates(order, node)).transpose()?,
        bias: number(bias, "geoProximityLocation.bias", -99..=99)?
            .and_then(|n| i8::try_from(n).ok()),
    };
    if let Some(region) = &location.aws_region {
        length(region, 1..=64, "geoProximityLocation.aWSRegion")?;
    }
    if let Some(group) = &location.local_zone_group {
        length(group, 1..=64, "geoProximityLocation.localZoneGroup")?;
    }
    let places = [
        location.aws_region.is_some(),
        location.local_zone_group.is_some(),
        location.coordinates.is_some(),
    ];
    match places.into_iter().filter(|given| *given).count() {
        1 => Ok(location),
        n => Err(ApiError::invalid_input(format!(
            "Invalid request: Expected exactly one of [AWSRegion, LocalZoneGroup, or \
             Coordinates], but found {}",
            if n == 0 { "none" } else { "more than one" }
        ))),
    }
}

fn coordinates(order: Order, node: Node) -> Result<Coordinates, ApiError> {
    let [latitude, longitude] = fields(order, node, ["Latitude", "Longitude"])?;
    let latitude = text_of(required(node, latitude, "Latitude")?)?;
    let longitude = text_of(required(node, longitude, "Longitude")?)?;
    degrees(&latitude, 2, 90.0, "latitude")?;
    degrees(&longitude, 3, 180.0, "longitude")?;
    Ok(Coordinates {
        latitude,
        longitude,
    })
}

/// A number of degrees with at most two places after the point.
fn degrees(text: &str, digits: usize, most: f64, member: &str) -> Result<(), ApiError> {
    // The sign, the digits, the point and two places.
    length(text, 1..=digits + 4, member)?;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let matches = (1..=digits).contains(&whole.len())
        && places.len() <= 2
        && all_digits(whole)
        && all_digits(places);
    let expression = format!("[-+]?[0-9]{{1,{digits}}}(\\.[0-9]{{0,2}})?");
    pattern(text, matches, &expression, member)?;
    let degrees: f64 = unsigned.trim_end_matches('.').parse().unwrap_or(f64::MAX);
    if degrees <= most {
        return Ok(());
    }
    Err(ApiError::invalid_input(format!(
        "Invalid request: '{text}' is no {member} on Earth"
    )))
}

pub(super) fn cidr(order: Order, node: Node) -> Result<CidrRouting, ApiError> {
    let [collection, location] = fields(order, node, ["CollectionId", "LocationName"])?;
    let routing = CidrRouting {
        collection_id: text_of(required(node, collection, "CollectionId")?)?,
        location_name: text_of(required(node, location, "LocationName")?)?,
    };
    let (id, name) = (&routing.collection_id, &routing.location_name);
    let expression = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}";
    pattern(
        id,
        is_uuid(id),
        expression,
        "cidrRoutingConfig.collectionId",
    )?;
    let member = "cidrRoutingConfig.locationName";
    length(name, 1..=16, member)?;
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'*');
    pattern(name, name.bytes().all(word), "[0-9A-Za-z_\\-\\*]+", member)?;
    Ok(routing)
}

fn is_uuid(text: &str) -> bool {
    let hexadecimal = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| hexadecimal(part))
}
