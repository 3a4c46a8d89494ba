"""The units that real files use, each with its other spellings and what it is in the base unit of its dimension."""

from __future__ import annotations

import math
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """A unit as `factor * value + offset` in the base unit of its dimension."""

    name: str
    dimension: str
    factor: float
    offset: float = 0.0


_ELECTRON_VOLT = 1.602176634e-19
_DEGREE = math.pi / 180

# dimension: {canonical name: (factor, other spellings)}; the first of each dimension is what an error suggests first.
TABLE: Final[dict[str, dict[str, tuple[float, str]]]] = {
    "energy": {
        "keV": (1e3, "kiloelectronvolt kiloelectronvolts"),
        "eV": (1.0, "electronvolt electronvolts electron_volt"),
        "meV": (1e-3, "millielectronvolt"),
        "MeV": (1e6, ""),
        "GeV": (1e9, ""),
        "ueV": (1e-6, ""),
        "J": (1 / _ELECTRON_VOLT, "joule joules Joule Joules"),
        "mJ": (1e-3 / _ELECTRON_VOLT, ""),
        "uJ": (1e-6 / _ELECTRON_VOLT, ""),
    },
    "length": {
        "angstrom": (
            1e-10,
            "Å Angstrom Angstroms angstroms ANGSTROM Angstroem angstroem Ångström ångström ang Ang AA å",
        ),
        "m": (1.0, "meter metre meters metres Meter"),
        "cm": (1e-2, "centimeter centimetre"),
        "mm": (1e-3, "millimeter millimetre millimeters millimetres MM"),
        "um": (1e-6, "micron microns micrometer micrometre micrometers microm"),
        "nm": (1e-9, "nanometer nanometre nanometers nanometres"),
        "pm": (1e-12, "picometer picometre"),
        "km": (1e3, ""),
    },
    "time": {
        "s": (1.0, "sec secs second seconds Seconds Second S"),
        "ms": (1e-3, "msec millisecond milliseconds"),
        "us": (1e-6, "usec microsecond microseconds"),
        "ns": (1e-9, "nsec nanosecond nanoseconds"),
        "ps": (1e-12, "picosecond picoseconds"),
        "fs": (1e-15, "femtosecond femtoseconds"),
        "min": (60.0, "minute minutes mins"),
        "h": (3600.0, "hour hours hr hrs"),
        "d": (86400.0, "day days"),
        # The Julian year, as UCUM has it and pint.
        "a": (31557600.0, "year years yr"),
    },
    "temperature": {
        "K": (1.0, "Kelvin kelvin KELVIN degK deg_K Kelvins kelvins"),
        "mK": (1e-3, "millikelvin"),
    },
    "angle": {
        "deg": (_DEGREE, "degree degrees Degree Degrees ° Deg DEG degs"),
        "rad": (1.0, "radian radians Rad"),
        "mrad": (1e-3, "milliradian milliradians"),
        "urad": (1e-6, "microradian microradians"),
    },
    "current": {"mA": (1e-3, "milliampere"), "A": (1.0, "ampere amp amps"), "uA": (1e-6, ""), "nA": (1e-9, "")},
    "voltage": {"V": (1.0, "volt volts Volt"), "kV": (1e3, ""), "mV": (1e-3, "")},
    "rate": {
        "1/s": (1.0, "s-1 s^-1 counts/s count/s cps cts/s count/sec counts/sec"),
        "Hz": (1.0, "hertz Hertz hz"),
        "photons/s": (1.0, "photon/s ph/s ph/sec photons/sec photon/sec photons_per_second"),
        "kHz": (1e3, ""),
        "MHz": (1e6, ""),
        "rpm": (1 / 60, "RPM"),
    },
    "pressure": {
        "bar": (1e5, "bars"),
        "mbar": (1e2, "millibar"),
        "Pa": (1.0, "pascal"),
        "kPa": (1e3, ""),
        "MPa": (1e6, ""),
        "GPa": (1e9, ""),
        "Torr": (101325 / 760, "torr"),
        "atm": (101325.0, ""),
    },
    "field": {"T": (1.0, "tesla Tesla"), "mT": (1e-3, ""), "gauss": (1e-4, "Gauss G")},
    "power": {"W": (1.0, "watt"), "kW": (1e3, ""), "MW": (1e6, ""), "mW": (1e-3, "")},
    "mass": {
        "g": (1e-3, "gram grams"),
        "mg": (1e-6, ""),
        "kg": (1.0, ""),
        "kDa": (1.66053906892e-24, "kilodalton kilodaltons"),
        "Da": (1.66053906892e-27, "dalton daltons"),
    },
    "density": {"g/cm^3": (1.0, "g/cm3 g/cc g/cm**3 g.cm-3 g*cm^-3 g_cm^-3")},
    "ratio": {"%": (1e-2, "percent Percent pct %RH %rH"), "1": (1.0, "dimensionless fraction")},
    "wavenumber": {
        "1/angstrom": (1e10, "1/Å 1/A Å^-1 A^-1 A-1 Å-1 Angstrom^-1 angstrom^-1 1/Angstrom"),
        "1/nm": (1e9, "nm^-1 nm-1"),
        "1/um": (1e6, "um^-1 um-1"),
        "1/mm": (1e3, "mm^-1 mm-1"),
        "1/cm": (1e2, "cm^-1 cm-1"),
        "1/m": (1.0, "m^-1 m-1"),
    },
    "emittance": {"nm*rad": (1.0, "nm.rad nmrad nm-rad"), "pm*rad": (1e-3, "pm.rad")},
    "count": {"count": (1.0, "counts Counts Count cts")},
    "data": {
        "byte": (1.0, "bytes"),
        "kB": (1e3, "KB"),
        "MB": (1e6, ""),
        "GB": (1e9, ""),
        "TB": (1e12, ""),
        "PB": (1e15, ""),
        "KiB": (1024.0, "kiB"),
        "MiB": (1024.0**2, ""),
        "GiB": (1024.0**3, ""),
        "TiB": (1024.0**4, ""),
    },
    "conductance": {"siemens": (1.0, "")},
    "resistance": {"ohm": (1.0, "Ohm ohms Ohms Ω"), "kohm": (1e3, "kOhm kΩ"), "Mohm": (1e6, "MOhm MΩ")},
    "pixel": {"pixel": (1.0, "pixels px Pixels Pixel")},
    "area": {
        "angstrom^2": (1e-20, "Å^2 Å**2 angstrom**2 Å2"),
        "nm^2": (1e-18, "nm**2 nm2"),
        "um^2": (1e-12, "um**2 um2"),
        "mm^2": (1e-6, "mm**2 mm2"),
        "cm^2": (1e-4, "cm**2 cm2"),
        "m^2": (1.0, "m**2 m2"),
        "barn": (1e-28, "barns"),
    },
    "volume": {
        "nm^3": (1e-27, "nm**3 nm3"),
        "angstrom^3": (1e-30, "Å^3 Å**3 angstrom**3 Å3"),
        "mm^3": (1e-9, "mm**3 mm3 uL ul"),
        "cm^3": (1e-6, "cm**3 cm3 mL ml cc"),
    },
    "speed": {"mm/s": (1e-3, ""), "m/s": (1.0, ""), "um/s": (1e-6, "")},
    "dose": {"Gy": (1.0, "gray"), "kGy": (1e3, "kilogray"), "MGy": (1e6, "")},
    "dose rate": {"Gy/s": (1.0, "")},
    "dose rate of a current": {"Gy/s/mA": (1.0, "Gy/mA/s")},
    "fluence": {"electrons/angstrom^2": (1.0, "electrons/Å^2 electrons/Å**2 e/Å^2 e/A^2 e-/Å^2 e-/A^2")},
}
AFFINE: Final = {
    "degC": Unit("degC", "temperature", 1.0, 273.15),
    "degF": Unit("degF", "temperature", 5 / 9, 459.67 * 5 / 9),
}
AFFINE_SPELLINGS: Final = {
    "degC": "Celsius celsius CELSIUS °C ℃ oC deg_C degc Centigrade centigrade degree_Celsius degree_C degrees_C",
    "degF": "Fahrenheit fahrenheit °F oF deg_F",
}
# A letter that means one thing alone and another where a length or a temperature is expected.
BY_DIMENSION: Final = {
    ("A", "length"): "angstrom",
    ("a", "length"): "angstrom",
    ("C", "temperature"): "degC",
    ("c", "temperature"): "degC",
    ("k", "temperature"): "K",
    ("F", "temperature"): "degF",
}
