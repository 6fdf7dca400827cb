//! Where askers or resources are, in the three routing kinds that go by place.

use std::fmt;

/// Where the askers of a geolocation record set are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct GeoLocation {
    pub continent_code: Option<String>,
    pub country_code: Option<String>,
    pub subdivision_code: Option<String>,
}

impl GeoLocation {
    pub fn continent(code: &str) -> GeoLocation {
        GeoLocation {
            continent_code: Some(code.to_owned()),
            ..GeoLocation::default()
        }
    }

    pub fn country(code: &str) -> GeoLocation {
        GeoLocation {
            country_code: Some(code.to_owned()),
            ..GeoLocation::default()
        }
    }

    pub fn subdivision(country: &str, code: &str) -> GeoLocation {
        GeoLocation {
            subdivision_code: Some(code.to_owned()),
            ..GeoLocation::country(country)
        }
    }

    /// Whoever is nowhere else, `*`.
    pub fn anywhere() -> GeoLocation {
        GeoLocation::country("*")
    }
}

/// `continent NA`, `NA` (a country), `US/CA` or `*`.
impl fmt::Display for GeoLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let continent = self.continent_code.as_ref();
        let continent = continent.map(|code| format!("continent {code}"));
        let country = self.country_code.clone();
        let codes = [continent, country, self.subdivision_code.clone()];
        let codes: Vec<String> = codes.into_iter().flatten().collect();
        f.write_str(&codes.join("/"))
    }
}

/// Where the resource of a geoproximity record set is: in one of the first three.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GeoProximity {
    pub aws_region: Option<String>,
    pub local_zone_group: Option<String>,
    pub coordinates: Option<Coordinates>,
    pub bias: Option<i8>,
}

/// As text, since Route 53 gives back the digits that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates {
    pub latitude: String,
    pub longitude: String,
}

impl GeoProximity {
    pub fn region(region: &str) -> GeoProximity {
        GeoProximity {
            aws_region: Some(region.to_owned()),
            ..GeoProximity::default()
        }
    }

    pub fn local_zone(group: &str) -> GeoProximity {
        GeoProximity {
            local_zone_group: Some(group.to_owned()),
            ..GeoProximity::default()
        }
    }

    pub fn coordinates(latitude: &str, longitude: &str) -> GeoProximity {
        GeoProximity {
            coordinates: Some(Coordinates {
                latitude: latitude.to_owned(),
                longitude: longitude.to_owned(),
            }),
            ..GeoProximity::default()
        }
    }

    pub fn biased(mut self, bias: i8) -> GeoProximity {
        self.bias = Some(bias);
        self
    }
}

impl fmt::Display for GeoProximity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = [&self.aws_region, &self.local_zone_group]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let coordinates = self.coordinates.as_ref();
        parts.extend(coordinates.map(|at| format!("{}/{}", at.latitude, at.longitude)));
        parts.extend(self.bias.map(|bias| format!("bias {bias}")));
        f.write_str(&parts.join(" "))
    }
}

/// Which address blocks the askers of a CIDR record set come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrRouting {
    pub collection_id: String,
    /// `*` for whoever comes from no other location of the collection.
    pub location_name: String,
}

impl fmt::Display for CidrRouting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.collection_id, self.location_name)
    }
}
