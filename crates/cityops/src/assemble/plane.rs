//! The city's coordinate systems: the SH2000 plane by control points or by parameters, and what the fit tells about them.

use city_grid::crs::{ControlPoint, FitError, Fitted, Outlier, PlaneFit, Systems, outlier};
use city_rules::ConfigError;
use serde_json::json;

use super::table::Table;
use crate::config::Loaded;

/// Key of the file of control points.
const KEY: &str = "crs.sh2000.control_points";

/// The control points of a configuration and the fit through them.
#[derive(Debug, Clone)]
pub struct Control {
    /// What each point is called: its name, or its line.
    pub names: Vec<String>,
    /// The points.
    pub points: Vec<ControlPoint>,
    /// The fit.
    pub fitted: Fitted,
    /// Beyond so many metres a residual is doubtful.
    pub limit_m: f64,
    /// The one point whose typing error explains all doubts.
    pub culprit: Option<Outlier>,
}

/// The coordinate systems of a configuration.
///
/// # Errors
/// A [`ConfigError`] for control points that cannot be read or fix no plane.
pub fn systems(loaded: &Loaded) -> Result<Systems, ConfigError> {
    let fit = match control(loaded)? {
        Some(control) => Some(control.fitted.fit),
        None => loaded.config.crs.sh2000.parameters().map_err(|(key, message)| {
            let name = format!("crs.sh2000.{key}");
            ConfigError::new(&loaded.file, &name, format!("\"{name}\": {message}"))
        })?,
    };
    Ok(fit.map_or_else(Systems::default, Systems::with_sh2000))
}

/// The same; doubts are told on the log, for a start must not be stopped by a mistyped control point.
pub(super) fn systems_told(loaded: &Loaded) -> Result<Systems, ConfigError> {
    let systems = systems(loaded)?;
    let doubts = match (control(loaded)?, systems.sh2000()) {
        (Some(control), _) => control.doubts(),
        (None, Some(fit)) => implausible(&fit.implausible()).into_iter().collect(),
        (None, None) => Vec::new(),
    };
    for line in doubts {
        tracing::warn!("{line}");
    }
    Ok(systems)
}

/// The control points, where there are any, with their fit.
///
/// # Errors
/// As [`systems`].
pub fn control(loaded: &Loaded) -> Result<Option<Control>, ConfigError> {
    let section = &loaded.config.crs.sh2000;
    let Some(path) = &section.control_points else {
        return Ok(None);
    };
    let (mut names, mut points, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for row in Table::open(loaded, KEY, path, &["x", "y", "lon", "lat"])?.rows() {
        let row = row?;
        points.push(ControlPoint {
            x: row.number("x")?,
            y: row.number("y")?,
            lon: row.number("lon")?,
            lat: row.number("lat")?,
        });
        for column in ["x", "y", "lon", "lat"] {
            if !row.number(column)?.is_finite() {
                return Err(row.error(format!("\"{column}\" is not finite")));
            }
        }
        let name = row.text("name");
        names.push(match name {
            "" => format!("line {}", row.line()),
            name => name.to_owned(),
        });
        lines.push(row.line());
    }
    let fitted = PlaneFit::through(&points).map_err(|error| {
        let message = format!("{}: {error}", loaded.path(path).display());
        match error {
            // The file's own line says more than the configuration's.
            FitError::FarAway(at) => ConfigError {
                line: lines.get(at).map(|line| *line as usize),
                ..ConfigError::new(
                    &loaded.path(path).display().to_string(),
                    KEY,
                    format!("\"{KEY}\": {error}"),
                )
            },
            _ => loaded.error(KEY, path, message),
        }
    })?;
    let limit_m = section.residual_limit_m;
    let is_doubtful = !fitted.doubtful(limit_m).is_empty();
    Ok(Some(Control {
        culprit: outlier(&points, limit_m).filter(|_| is_doubtful),
        names,
        points,
        fitted,
        limit_m,
    }))
}

impl Control {
    /// The points that are probably typed wrong: the one that explains all doubts, if there is one.
    pub fn doubtful(&self) -> Vec<usize> {
        match self.culprit {
            Some(culprit) => vec![culprit.at],
            None => self.fitted.doubtful(self.limit_m),
        }
    }

    /// What is wrong with the points, in sentences, the culprit first; none for a fit that can be believed.
    pub fn doubts(&self) -> Vec<String> {
        let (limit_m, rms_m) = (self.limit_m, self.fitted.rms_m);
        let mut told = Vec::new();
        match self.culprit {
            Some(Outlier { at, off_m, rms_m }) => {
                let name = self.names.get(at).map_or("", String::as_str);
                told.push(format!(
                    "control point {name} lies {off_m:.3} m from where the others put it (limit {limit_m} m): probably a \
                     typing error; without {name} all other control points fit, rms {rms_m:.3} m"
                ));
            }
            None => {
                let doubtful = self.doubtful();
                let points = doubtful
                    .iter()
                    .filter_map(|at| Some((self.names.get(*at)?, self.fitted.residuals_m.get(*at)?)));
                told.extend(points.map(|(name, residual)| {
                    format!(
                        "control point {name} lies {residual:.3} m from where the fit puts it (limit {limit_m} m, rms {rms_m:.3} m)"
                    )
                }));
                if !doubtful.is_empty() {
                    told.push(match self.points.len() {
                        ..=3 => "one of the control points is typed wrong; it takes four to tell which".to_owned(),
                        _ => "no single typing error explains the control points: several, or points of another plane".to_owned(),
                    });
                }
            }
        }
        told.extend(implausible(&self.fitted.implausible(limit_m)));
        if self.points.len() == 2 {
            told.push(
                "nothing checks this fit: two control points always fit exactly, whatever is typed wrong"
                    .to_owned(),
            );
        }
        told
    }

    /// The fit as `check` prints it.
    pub fn report(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "SH2000 through {} control points: {}, rms {:.3} m",
            self.points.len(),
            parameters(&self.fitted.fit),
            self.fitted.rms_m
        )];
        lines.extend(self.doubts());
        let doubtful = self.doubtful();
        for (at, (name, residual)) in self.names.iter().zip(&self.fitted.residuals_m).enumerate() {
            let mark = if doubtful.contains(&at) { "  doubtful" } else { "" };
            lines.push(format!("  {name}: {residual:.3} m{mark}"));
        }
        lines
    }

    /// The same as JSON.
    pub fn json(&self) -> serde_json::Value {
        let doubtful = self.doubtful();
        let points: Vec<_> = self
            .names
            .iter()
            .zip(&self.fitted.residuals_m)
            .enumerate()
            .map(|(at, (name, residual_m))| {
                json!({ "name": name, "residual_m": residual_m, "doubtful": doubtful.contains(&at) })
            })
            .collect();
        let (fit, (dx, dy)) = (&self.fitted.fit, self.fitted.fit.shift_m());
        json!({
            "dx": dx, "dy": dy, "rotation_arcsec": fit.rotation_arcsec(), "scale_ppm": fit.scale_ppm(),
            "rms_m": self.fitted.rms_m, "points": points, "doubts": self.doubts(),
        })
    }
}

/// The sentence for what no plane of the city has.
fn implausible(why: &[String]) -> Option<String> {
    (!why.is_empty()).then(|| format!("this fit is implausible: {}", why.join(", ")))
}

/// A fit by parameters as `check` prints it.
pub fn by_parameters(fit: &PlaneFit) -> Vec<String> {
    let mut lines = vec![format!("SH2000 by parameters: {}", parameters(fit))];
    lines.extend(implausible(&fit.implausible()));
    lines
}

/// The four parameters, as they could be written into the configuration.
fn parameters(fit: &PlaneFit) -> String {
    let (dx, dy) = fit.shift_m();
    format!(
        "dx {dx:.4} m, dy {dy:.4} m, rotation {:.4}\", scale {:.4} ppm",
        fit.rotation_arcsec(),
        fit.scale_ppm()
    )
}
