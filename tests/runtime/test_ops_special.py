"""Special functions by what they are known for: identities, recurrences, integrals, inverses."""

from __future__ import annotations

import math

import numpy as np
import pytest

import threadwheel as tw

X = np.array([0.1, 0.5, 1.0, 2.5, 7.0, 30.0])
CLOSE = {"rtol": 1e-10, "atol": 1e-12}


def test_derivatives_of_the_gamma_function() -> None:
    assert tw.digamma(np.array(1.0)).item() == pytest.approx(-np.euler_gamma, rel=1e-14)
    np.testing.assert_allclose(tw.digamma(X + 1).numpy(), tw.digamma(X).numpy() + 1 / X, **CLOSE)
    np.testing.assert_allclose(
        tw.digamma(1 - X[:2]).numpy() - tw.digamma(X[:2]).numpy(), np.pi / np.tan(np.pi * X[:2]), **CLOSE
    )
    for n in (1, 2, 3):
        step = (-1) ** n * math.factorial(n) / X ** (n + 1)
        np.testing.assert_allclose(tw.polygamma(n, X + 1).numpy() - tw.polygamma(n, X).numpy(), step, rtol=1e-6)
    assert tw.polygamma(1, np.array(1.0)).item() == pytest.approx(np.pi**2 / 6, rel=1e-14)
    assert tw.special_zeta(np.array([2.0, 4.0]), np.array(1.0)).tolist() == pytest.approx([np.pi**2 / 6, np.pi**4 / 90])
    np.testing.assert_array_equal(tw.digamma(np.array([0.0, -0.0, -1.0])).numpy(), [-np.inf, np.inf, np.nan])
    np.testing.assert_allclose(tw.mvlgamma(X + 1, 1).numpy(), [math.lgamma(x + 1) for x in X], **CLOSE)
    with pytest.raises(ValueError, match="polygamma: n is -1; expected 0 or more"):
        tw.polygamma(-1, X)


def test_incomplete_gamma_functions() -> None:
    one, half = np.ones(6), np.full(6, 0.5)
    np.testing.assert_allclose(tw.igamma(one, X).numpy(), -np.expm1(-X), **CLOSE)
    np.testing.assert_allclose(tw.igamma(half, X).numpy(), [math.erf(math.sqrt(x)) for x in X], **CLOSE)
    np.testing.assert_allclose(tw.igammac(half, X).numpy(), [math.erfc(math.sqrt(x)) for x in X], rtol=1e-8)
    for a in (3.0, 50.0, 5000.0):
        near = np.array([0.5, 0.99, 1.01, 1.5]) * a
        total = tw.igamma(np.full(4, a), near).numpy() + tw.igammac(np.full(4, a), near).numpy()
        np.testing.assert_allclose(total, 1, rtol=1e-12)
    edges = tw.igamma(np.array([0.0, 0.0, 2.0, 2.0, -1.0]), np.array([1.0, 0.0, 0.0, np.inf, 1.0]))
    np.testing.assert_array_equal(edges.numpy(), [1, np.nan, 0, 1, np.nan])


def test_error_functions_and_their_inverses() -> None:
    y = np.array([-0.999999, -0.5, 0.0, 1e-9, 0.3, 0.7, 0.99])
    np.testing.assert_allclose(tw.erf(tw.erfinv(y)).numpy(), y, **CLOSE)
    np.testing.assert_array_equal(tw.erfinv(np.array([1.0, -1.0, 1.5])).numpy(), [np.inf, -np.inf, np.nan])
    p = np.array([1e-300, 1e-20, 0.01, 0.3, 0.5, 0.9, 1 - 1e-12])
    np.testing.assert_allclose(tw.special_ndtr(tw.special_ndtri(p)).numpy(), p, rtol=1e-12)
    np.testing.assert_array_equal(tw.special_ndtri(np.array([0.0, 1.0, -0.1])).numpy(), [-np.inf, np.inf, np.nan])
    # log Phi(-40) by the asymptotic series; Phi itself is 0 there.
    assert tw.special_log_ndtr(np.array(-40.0)).item() == pytest.approx(-804.608442013754, rel=1e-13)
    x = np.array([-2.0, 0.0, 1.0, 5.0])
    np.testing.assert_allclose(tw.special_erfcx(x).numpy(), [math.exp(v * v) * math.erfc(v) for v in x], rtol=1e-12)
    far = np.array([9.99, 10.01, 1e3, 1e200])
    fraction = [1 / math.sqrt(math.pi) / (v + 0.5 / (v + 1 / (v + 1.5 / (v + 2 / v)))) for v in far]
    np.testing.assert_allclose(tw.special_erfcx(far).numpy(), fraction, rtol=1e-7)


def test_modified_bessel_functions() -> None:
    x = np.array([-29.0, -3.0, 0.0, 0.1, 5.0, 29.9, 30.1, 200.0])
    angle = (np.arange(4000) + 0.5) * np.pi / 4000  # the trapezoidal rule of a periodic function is exact
    scaled = np.exp(np.outer(x, np.cos(angle)) - np.abs(x)[:, None])
    np.testing.assert_allclose(tw.special_i0e(x).numpy(), scaled.mean(1), rtol=1e-12)
    np.testing.assert_allclose(tw.special_i1e(x).numpy(), (scaled * np.cos(angle)).mean(1), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(tw.i0(x).numpy(), np.i0(x), rtol=1e-10)
    assert tw.special_i1(np.array([-np.inf, np.inf])).tolist() == [-np.inf, np.inf]


def test_functions_with_logarithms() -> None:
    x = np.array([0.0, 0.5, 2.0, -1.0, np.nan])
    np.testing.assert_allclose(tw.special_entr(x).numpy(), [0, 0.5 * np.log(2), -2 * np.log(2), -np.inf, np.nan])
    got = tw.special_xlog1py(np.array([0.0, 2.0, 0.0]), np.array([-1.0, 1e-20, np.nan]))
    np.testing.assert_array_equal(got.numpy(), [0, 2e-20, np.nan])


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8"])
def test_divisors_and_multiples(dtype: str) -> None:
    x, y = np.array([12, 0, 7, 0], dtype), np.array([18, 5, 3, 0], dtype)
    assert tw.gcd(x, y).tolist() == np.gcd(x, y).tolist()
    assert tw.lcm(x, y).tolist() == np.lcm(x, y).tolist()
    with pytest.raises(NotImplementedError, match="gcd: unsupported dtype float32"):
        tw.gcd(x.astype("f4"), y)


def test_neighbours_and_powers() -> None:
    for dtype in ("f4", "f8"):
        x = np.array([1.0, -1.0, 0.0], dtype)
        np.testing.assert_array_equal(tw.nextafter(x, -x).numpy(), np.nextafter(x, -x))
    with pytest.raises(NotImplementedError, match="nextafter: unsupported dtype float16"):
        tw.nextafter(np.ones(1, "f2"), np.ones(1, "f2"))
    assert tw.ldexp(np.array([1.5, -3.0], "f4"), np.array([2, -1])).tolist() == [6, -1.5]
    power = tw.float_power(np.array([2, 3]), 0.5)
    assert power.dtype == tw.float64
    np.testing.assert_allclose(power.numpy(), np.sqrt([2, 3]))
    assert tw.isreal(np.array([1 + 0j, 1j])).tolist() == [True, False]


def test_float32_is_computed_as_exactly_as_it_can_hold() -> None:
    for op in (tw.digamma, tw.erfinv, tw.special_ndtr, tw.i0):
        x = np.linspace(0.1, 0.9, 7)
        np.testing.assert_allclose(op(x.astype("f4")).numpy(), op(x.astype("f4").astype("f8")).numpy(), rtol=6e-8)


@pytest.mark.parametrize("degree", [0, 1, 2, 5, 9, 20])
def test_orthogonal_polynomials(degree: int) -> None:
    x = np.array([-1.5, -1.0, -0.3, 0.0, 0.5, 1.0, 1.2])
    coefficients = np.eye(degree + 1)[degree]
    known = {
        "chebyshev_polynomial_t": np.polynomial.chebyshev.chebval(x, coefficients),
        "shifted_chebyshev_polynomial_t": np.polynomial.chebyshev.chebval(2 * x - 1, coefficients),
        "hermite_polynomial_h": np.polynomial.hermite.hermval(x, coefficients),
        "hermite_polynomial_he": np.polynomial.hermite_e.hermeval(x, coefficients),
        "laguerre_polynomial_l": np.polynomial.laguerre.lagval(x, coefficients),
        "legendre_polynomial_p": np.polynomial.legendre.legval(x, coefficients),
    }
    for name, expected in known.items():
        function = getattr(tw, f"special_{name}")
        np.testing.assert_allclose(function(x, degree).numpy(), expected, rtol=1e-9, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(function(x, np.full(7, degree)).numpy(), expected, rtol=1e-9, atol=1e-9)
        assert function(x[0], np.array(-1)).item() == 0
    inside = np.array([-0.9, -0.3, 0.0, 0.5])
    angle = np.arccos(inside)
    kinds = {
        "u": np.sin((degree + 1) * angle) / np.sin(angle),
        "v": np.cos((degree + 0.5) * angle) / np.cos(angle / 2),
        "w": np.sin((degree + 0.5) * angle) / np.sin(angle / 2),
    }
    for kind, expected in kinds.items():
        plain = getattr(tw, f"special_chebyshev_polynomial_{kind}")
        shifted = getattr(tw, f"special_shifted_chebyshev_polynomial_{kind}")
        np.testing.assert_allclose(plain(inside, degree).numpy(), expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(shifted((inside + 1) / 2, degree).numpy(), expected, rtol=1e-9, atol=1e-9)
        ends, near = np.array([-1.0, 1.0]), np.array([-1 - 1e-12, 1 + 1e-12])
        np.testing.assert_allclose(plain(ends, degree).numpy(), plain(near, degree).numpy(), rtol=1e-6)


def test_bessel_functions_by_their_wronskians() -> None:
    x = np.concatenate([X, [29.9, 30.1, 200.0]])
    j0, j1, y0, y1 = (getattr(tw, f"special_bessel_{name}")(x).numpy() for name in ("j0", "j1", "y0", "y1"))
    np.testing.assert_allclose(j1 * y0 - j0 * y1, 2 / (np.pi * x), rtol=1e-10)
    i0, i1 = tw.special_i0e(x).numpy(), tw.special_i1e(x).numpy()
    k0, k1 = (getattr(tw, f"special_scaled_modified_bessel_k{order}")(x).numpy() for order in (0, 1))
    np.testing.assert_allclose(i0 * k1 + i1 * k0, 1 / x, rtol=1e-10)
    np.testing.assert_allclose(tw.special_modified_bessel_k0(x).numpy(), k0 * np.exp(-x), rtol=1e-10)
    assert tw.special_bessel_j0(np.array(2.404825557695773)).item() == pytest.approx(0, abs=1e-15)
    assert tw.special_bessel_y0(np.array([0.0, -1.0])).tolist() == [-np.inf, pytest.approx(np.nan, nan_ok=True)]
    assert tw.special_modified_bessel_k1(np.array(0.0)).item() == np.inf


def test_airys_function_and_spherical_waves() -> None:
    known = {0.0: 0.355028053887817, 1.0: 0.135292416312881, -1.0: 0.535560883292352, 5.0: 1.083444281360744e-4}
    assert tw.special_airy_ai(np.array(list(known))).tolist() == pytest.approx(list(known.values()), rel=1e-12)
    assert tw.special_airy_ai(np.array(200.0)).item() == 0
    np.testing.assert_allclose(tw.special_spherical_bessel_j0(X).numpy(), np.sin(X) / X)
    assert tw.special_spherical_bessel_j0(np.array([0.0, np.inf])).tolist() == [1, 0]


def test_fractions_and_powers_of_two() -> None:
    x = np.array([0.0, 1.0, -3.5, 1e-310, np.inf])
    fraction, power = tw.frexp(x)
    np.testing.assert_array_equal(fraction.numpy(), np.frexp(x)[0])
    assert (power.dtype, power.tolist()) == (tw.int32, np.frexp(x)[1].tolist())
    y = tw.tensor(x[:3])
    tw.ldexp_(y, np.array([1, 2, 3]))
    assert y.tolist() == [0, 4, -28]
    tw.float_power_(y, 2)
    assert y.tolist() == [0, 16, 784]
    assert tw.float_power(2, np.array([3, 0])).tolist() == [8, 1]
    with pytest.raises(ValueError, match="float_power_: self is float32 and the result float64; convert self first"):
        tw.float_power_(tw.ones(2), 2)
    a = tw.tensor(X)
    tw.igamma_(a, X)
    np.testing.assert_array_equal(a.numpy(), tw.igamma(X, X).numpy())
