"""Eigenvalues, singular values and what follows from them: by what they promise, and against numpy."""

from __future__ import annotations

import numpy as np
import pytest

import threadwheel as tw

RNG = np.random.default_rng(0)
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (2, 3, 4, 4), (0, 3, 3), (2, 0, 0)])
def test_eigenvalues(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    symmetric = x + x.swapaxes(-1, -2)
    for triangle in ("L", "U"):
        given = np.tril(symmetric) if triangle == "L" else np.triu(symmetric)  # the other is not read
        values, vectors = (t.numpy() for t in tw.linalg_eigh(given, triangle))
        np.testing.assert_allclose(values, np.linalg.eigvalsh(symmetric), **CLOSE)
        np.testing.assert_allclose(vectors * values[..., None, :] @ vectors.swapaxes(-1, -2), symmetric, **CLOSE)
        np.testing.assert_allclose(tw.linalg_eigvalsh(given, triangle).numpy(), values)


@pytest.mark.parametrize("triangle", ["L", "U"])
def test_the_signs_of_eigenvectors(triangle: str) -> None:
    """Of larger matrices they are those of any LAPACK, numpy's too; of smaller ones those of torch: the samples."""
    x = numbers(3, 40, 40)
    x += x.swapaxes(-1, -2)
    vectors = tw.linalg_eigh(x, triangle)[1].numpy()
    np.testing.assert_allclose(vectors, np.linalg.eigh(x, triangle)[1], **CLOSE)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(5, 5), (6, 5), (10, 5), (4, 5), (3, 20, 20), (30, 30), (45, 40), (40, 45)])
def test_the_signs_of_singular_vectors(shape: tuple[int, ...], full: bool) -> None:
    """LAPACK's, where versions of it take the same way."""
    x = numbers(*shape)
    for ours, expected in zip(tw.linalg_svd(x, full), np.linalg.svd(x, full), strict=True):
        np.testing.assert_allclose(ours.numpy(), expected, **CLOSE)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 4, 4), (3, 0)])
def test_reflections_as_lapack_keeps_them(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    a, tau = tw.geqrf(x)
    m, n = shape[-2:]
    q, r = np.linalg.qr(x, "complete")
    np.testing.assert_allclose(np.triu(a.numpy()), r if m <= n else np.triu(a.numpy() * 0 + r), **CLOSE)
    y = numbers(*shape[:-2], m, m)
    kept = a.numpy()[..., : min(m, n)]
    thin = tw.linalg_householder_product(kept, tau).numpy()
    np.testing.assert_allclose(thin, q[..., : min(m, n)], **CLOSE)
    np.testing.assert_allclose(tw.orgqr(kept, tau).numpy(), thin)
    transposed = q.swapaxes(-1, -2)
    np.testing.assert_allclose(tw.ormqr(kept, tau, y).numpy(), q @ y, **CLOSE)
    np.testing.assert_allclose(tw.ormqr(kept, tau, y, True, True).numpy(), transposed @ y, **CLOSE)
    np.testing.assert_allclose(tw.ormqr(kept, tau, y, False).numpy(), y @ q, **CLOSE)
    np.testing.assert_allclose(tw.ormqr(kept, tau, y, False, True).numpy(), y @ transposed, **CLOSE)


def test_reflections_that_do_not_fit() -> None:
    a, tau = tw.geqrf(numbers(4, 3))
    for given, factors in ((a, numbers(4)), (a, numbers(1, 3)), (numbers(3, 4), tau), (a, tau.to(tw.float32))):
        with pytest.raises(ValueError, match="expected one dtype"):
            tw.linalg_householder_product(given, factors)
    for other in (numbers(3, 4), numbers(1, 4, 4), numbers(4)):
        with pytest.raises(ValueError, match="expected"):
            tw.ormqr(a, tau, other)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_matrices_of_tiny_and_huge_numbers(scale: float) -> None:
    x = numbers(6, 6)
    x += x.T
    values, vectors = (t.numpy() for t in tw.linalg_eigh(x * scale))
    np.testing.assert_allclose(values / scale, np.linalg.eigvalsh(x), **CLOSE)
    np.testing.assert_allclose((vectors * (values / scale)) @ vectors.T, x, **CLOSE)
    np.testing.assert_allclose(tw.linalg_svdvals(x * scale).numpy() / scale, np.linalg.svd(x)[1], **CLOSE)


def test_eigenvalues_that_are_equal_or_zero_or_far_apart() -> None:
    for x in (np.eye(30), np.zeros((4, 4)), np.diag([1e-200, 1.0, 1e150]), np.kron(np.eye(9), np.ones((4, 4)))):
        values, vectors = (t.numpy() for t in tw.linalg_eigh(x))
        np.testing.assert_allclose(values, np.linalg.eigvalsh(x), **CLOSE)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(x)), **CLOSE)
        np.testing.assert_allclose((vectors * values) @ vectors.T, x, **CLOSE)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 5, 2), (1, 4), (3, 0)])
def test_singular_values(shape: tuple[int, ...], full: bool) -> None:
    x = numbers(*shape)
    u, s, vh = (t.numpy() for t in tw.linalg_svd(x, full))
    expected = np.linalg.svd(x, full)
    assert [t.shape for t in (u, s, vh)] == [t.shape for t in expected]
    np.testing.assert_allclose(s, expected[1], **CLOSE)
    k = s.shape[-1]
    np.testing.assert_allclose(u[..., :k] * s[..., None, :] @ vh[..., :k, :], x, **CLOSE)
    for orthogonal in (u.swapaxes(-1, -2) @ u, vh @ vh.swapaxes(-1, -2)):
        np.testing.assert_allclose(orthogonal, np.broadcast_to(np.eye(orthogonal.shape[-1]), orthogonal.shape), **CLOSE)


def test_matrices_without_full_rank() -> None:
    low = numbers(5, 2) @ numbers(2, 4)
    for x in (low, np.zeros((3, 3)), np.ones((4, 6))):
        u, s, _ = (t.numpy() for t in tw.linalg_svd(x))
        np.testing.assert_allclose(u.T @ u, np.eye(len(u)), **CLOSE)
        np.testing.assert_allclose(s, np.linalg.svd(x)[1], **CLOSE)
        assert tw.linalg_matrix_rank(x).item() == np.linalg.matrix_rank(x)
        np.testing.assert_allclose(tw.linalg_pinv(x).numpy(), np.linalg.pinv(x), **CLOSE)


@pytest.mark.parametrize("order", [None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"])
def test_condition_numbers(order: float | str | None) -> None:
    x = numbers(2, 4, 4)
    expected = np.linalg.cond(x, order) if order != "nuc" else [np.linalg.cond(one, order) for one in x]
    np.testing.assert_allclose(tw.linalg_cond(x, order).numpy(), expected, **CLOSE)
    np.testing.assert_array_equal(tw.linalg_cond(np.zeros((2, 0, 0)), order).numpy(), [0, 0])
    if order in (1, "fro"):
        assert tw.linalg_cond(np.zeros((3, 3)), order).item() == np.inf
        with pytest.raises(ValueError, match="linalg_cond: input has sizes"):
            tw.linalg_cond(numbers(3, 4), order)


def test_the_older_names_of_decompositions() -> None:
    x = numbers(3, 5)
    for ours, expected in zip(tw._lu_with_info(x), tw.linalg_lu_factor_ex(x), strict=True):
        np.testing.assert_array_equal(ours.numpy(), expected.numpy())


def test_inverses_and_least_squares() -> None:
    for shape in ((5, 3), (3, 5), (2, 4, 4)):
        x = numbers(*shape)
        np.testing.assert_allclose(tw.linalg_pinv(x).numpy(), np.linalg.pinv(x), **CLOSE)
    tall, b = numbers(6, 3), numbers(6, 2)
    solution, *_ = tw.linalg_lstsq(tall, b)
    np.testing.assert_allclose(solution.numpy(), np.linalg.lstsq(tall, b, rcond=None)[0], **CLOSE)
    wide = numbers(3, 6)
    np.testing.assert_allclose(tw.linalg_lstsq(wide, b[:3])[0].numpy(), np.linalg.pinv(wide) @ b[:3], **CLOSE)
    with pytest.raises(NotImplementedError, match="driver is 'gelsd'; supported are 'gelsy' and 'gels'"):
        tw.linalg_lstsq(tall, b, driver="gelsd")


@pytest.mark.parametrize("order", ["fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2])
def test_norms(order: str | float) -> None:
    x = numbers(3, 4, 2)
    for dims in ((0, 1), (2, 0)):
        for keep in (False, True):
            got = tw.linalg_matrix_norm(x, order, dims, keep).numpy()
            np.testing.assert_allclose(got, np.linalg.norm(x, order, dims, keep), **CLOSE)  # type: ignore[arg-type]
    np.testing.assert_allclose(tw.linalg_norm(x[0], order).item(), np.linalg.norm(x[0], order), **CLOSE)  # type: ignore


def test_norms_of_everything_and_of_vectors() -> None:
    x = numbers(3, 4, 2)
    assert tw.linalg_norm(x).item() == pytest.approx(np.sqrt((x**2).sum()))
    np.testing.assert_allclose(tw.linalg_norm(x, 3, [1]).numpy(), np.linalg.norm(x, 3, 1), **CLOSE)
    with pytest.raises(ValueError, match="ord is 'max'; expected 'fro' or 'nuc'"):
        tw.linalg_norm(x[0], "max")
    with pytest.raises(ValueError, match=r"ord is 3\.0\d*; expected 1, -1, 2, -2, inf or -inf"):
        tw.linalg_matrix_norm(x, 3)


def test_powers_and_exponentials() -> None:
    x = numbers(2, 3, 3)
    for n in (0, 1, 5, -2):
        np.testing.assert_allclose(tw.linalg_matrix_power(x, n).numpy(), np.linalg.matrix_power(x, n), rtol=1e-6)
    angle = 7.5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(tw.linalg_matrix_exp(np.array([[0, -angle], [angle, 0]])).numpy(), turn, **CLOSE)
    np.testing.assert_allclose(
        tw.linalg_matrix_exp(np.diag([1.0, -30.0])).numpy(), np.diag(np.exp([1.0, -30.0])), **CLOSE
    )


def test_solutions_with_factors() -> None:
    x, b = numbers(4, 4), numbers(4, 2)
    positive = x @ x.T + np.eye(4)
    lower = np.linalg.cholesky(positive)
    for factor, upper in ((lower, False), (lower.T.copy(), True)):
        np.testing.assert_allclose(tw.cholesky_solve(b, factor, upper).numpy(), np.linalg.solve(positive, b), **CLOSE)
        np.testing.assert_allclose(tw.cholesky_inverse(factor, upper).numpy(), np.linalg.inv(positive), **CLOSE)
    p, left, right = (t.numpy() for t in tw.linalg_lu(x))
    np.testing.assert_allclose(p @ left @ right, x, **CLOSE)
    packed, pivots = tw.linalg_lu_factor(x)
    for flags in ((True, False), (True, True), (False, False), (False, True)):
        a = x.T if flags[1] else x
        expected = np.linalg.solve(a, b) if flags[0] else np.linalg.solve(a.T, b).T
        right_side = b if flags[0] else b.T.copy()
        got = tw.linalg_lu_solve(packed, pivots, right_side, left=flags[0], adjoint=flags[1])
        np.testing.assert_allclose(got.numpy(), expected, **CLOSE)
    triangular = tw.triangular_solve(b, np.triu(x), True, True)[0]
    np.testing.assert_allclose(triangular.numpy(), np.linalg.solve(np.triu(x).T, b), **CLOSE)


def test_what_has_no_decomposition() -> None:
    with pytest.raises(RuntimeError, match="linalg_svd: the input holds infinities or NaN"):
        tw.linalg_svd(np.array([[np.nan]]))
    with pytest.raises(ValueError, match="linalg_eigh: UPLO is 'X'; expected 'L' or 'U'"):
        tw.linalg_eigh(np.eye(2), "X")
    with pytest.raises(ValueError, match="lu_unpack: a pivot is 3; expected 1 to 2"):
        tw.lu_unpack(np.eye(2), np.array([3, 2], "i4"))


def test_only_the_lower_triangle_of_hermitian_matrices_counts() -> None:
    lower = np.tril(np.random.default_rng(0).standard_normal((4, 4)))
    whole = lower + np.tril(lower, -1).T
    np.testing.assert_allclose(tw.linalg_pinv(lower, hermitian=True).numpy(), np.linalg.pinv(whole), atol=1e-10)
    assert tw.linalg_matrix_rank(np.tril(np.ones((3, 3))), hermitian=True).item() == 1
    assert tw.linalg_matrix_rank(np.diag([1.0, 0.1]), atol=np.array(0.5), rtol=None).item() == 1
    with pytest.raises(NotImplementedError, match="supported is one number for all matrices"):
        tw.linalg_pinv(np.ones((2, 2, 2)), rtol=np.ones(2))
