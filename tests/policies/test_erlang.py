"""Erlang's formulas: values by hand, laws, and a reference computed with 50 digits."""

import json
import math
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_policies.erlang import erlang_b, erlang_c, mean_wait, variability_of, wait_quantile, waiting_tail, waiting_tails


def near(value):
    return pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("servers", "offered", "blocked"),
    [(1, 1.0, 1 / 2), (2, 1.0, 1 / 5), (3, 1.0, 1 / 16), (2, 2.0, 2 / 5), (0, 3.0, 1.0), (1, 0.0, 0.0), (0, 0.0, 1.0)],
)
def test_erlang_b_by_hand(servers, offered, blocked):
    assert erlang_b(servers, offered) == near(blocked)  # (a^s / s!) / sum of a^k / k!


@pytest.mark.parametrize(("servers", "offered", "waiting"), [(1, 0.8, 0.8), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9), (2, 2.0, 1.0), (2, 5.0, 1.0)])
def test_erlang_c_by_hand(servers, offered, waiting):
    assert erlang_c(servers, offered) == near(waiting)


def test_one_server_waits_as_every_textbook_says():
    assert mean_wait(1, 0.5, 2.0) == near(2.0)  # rho / (1 - rho) x service
    assert waiting_tail(1, 0.5, 2.0) == near(0.5 * math.exp(-1))
    assert wait_quantile(1, 0.5, 2.0, 0.5) == 0.0  # half do not wait
    assert wait_quantile(1, 0.5, 2.0, 0.75) == near(4 * math.log(2))


def test_servers_that_cannot_keep_up_wait_for_ever():
    assert mean_wait(2, 2.0, 1.0) == wait_quantile(2, 2.0, 1.0, 0.5) == math.inf
    assert waiting_tail(2, 2.0, 9.0) == 1.0


def test_clockwork_does_not_wait():
    assert waiting_tail(2, 1.5, 0.0, variability=0.0) == 0.0
    assert mean_wait(2, 1.5, 1.0, variability=0.0) == 0.0


def test_the_quantile_is_the_inverse_of_the_tail():
    seconds = wait_quantile(5, 4.0, 0.25, 0.95, variability=2.5)

    assert waiting_tail(5, 4.0, seconds / 0.25, variability=2.5) == near(0.05)


def test_the_tails_go_on_by_whole_processes():
    tails = list(islice(waiting_tails(8.0, 9, 3, 0.5, 1.0), 3))

    assert tails == [near(waiting_tail(servers, 8.0, 0.5)) for servers in (9, 12, 15)]


@pytest.mark.parametrize(("servers", "offered"), [(1, 1e-300), (10**6, 1.0), (10**6, 9e5), (100_200, 1e5), (1, 1e300), (5, 5e-324)])
def test_absurd_loads_give_a_share(servers, offered):
    assert 0 <= erlang_b(servers, offered) <= 1
    assert 0 <= erlang_c(servers, offered) <= 1


@given(st.integers(1, 300), st.floats(0.01, 400))
def test_the_sum_and_the_recurrence_agree(servers, offered):
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)

    assert erlang_b(servers, offered) == pytest.approx(blocked, rel=1e-9, abs=1e-290)


@given(st.integers(1, 60), st.floats(0.01, 50), st.floats(0.01, 50), st.floats(0, 5), st.floats(0.1, 5))
def test_more_load_waits_more_and_more_servers_wait_less(servers, one, other, wait, variability):
    low, high = sorted((one, other))
    tail = waiting_tail(servers, high, wait, variability)

    assert waiting_tail(servers, low, wait, variability) <= tail + 1e-12
    assert waiting_tail(servers + 1, high, wait, variability) <= tail + 1e-12


@pytest.fixture
def cases(shared):
    content = json.loads((shared / "reference" / "queueing_reference.json").read_text())
    return {case["id"]: (case["params"], case["expected"]) for case in content["cases"]}


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mm1", "mm5", "mm100", "mm10_web"])
def test_m_m_c_is_that_of_the_reference(cases, name):
    params, expected = cases[name]
    servers, service = params.get("c", 1), 1 / params["mu"]
    offered, wait = params["lam"] * service, mean_wait(servers, params["lam"] * service, service)

    assert erlang_c(servers, offered) == near(expected["P_wait"])
    assert (wait, wait + service) == (near(expected["Wq"]), near(expected["W"]))
    assert (params["lam"] * wait, params["lam"] * wait + offered) == (near(expected["Lq"]), near(expected["L"]))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "share", "key"), [("mm5", 0.95, "Wq_p95"), ("mm5", 0.99, "Wq_p99"), ("mm100", 0.99, "Wq_p99"), ("mm10_web", 0.99, "Wq_p99")]
)
def test_waiting_percentiles_are_those_of_the_reference(cases, name, share, key):
    params, expected = cases[name]
    service = 1 / params["mu"]

    assert wait_quantile(params["c"], params["lam"] * service, service, share) == near(expected[key])


@pytest.mark.shared
def test_the_tail_is_that_of_the_reference(cases):
    params, expected = cases["mm5"]

    assert waiting_tail(params["c"], params["lam"], 1.0) == near(expected["P_Wq_gt_1"])


@pytest.mark.shared
@pytest.mark.parametrize(("name", "service", "scv"), [("md1", "D", 0.0), ("mg1_h2", "ES", 4.0), ("mg1_lognormal", "ES", math.e - 1)])
def test_m_g_1_is_that_of_the_reference(cases, name, service, scv):
    params, expected = cases[name]
    seconds = params[service]
    wait = mean_wait(1, params["lam"] * seconds, seconds, variability_of(1.0, scv))

    assert (wait, params["lam"] * wait) == (near(expected["Wq"]), near(expected["Lq"]))


@pytest.mark.shared
def test_allen_and_cunneen_is_that_of_the_reference(cases):
    params, expected = cases["md5"]
    wait = mean_wait(params["c"], params["lam"] * params["D"], params["D"], variability_of(1.0, 0.0))

    assert wait == near(expected["allen_cunneen"])
    assert wait == pytest.approx(expected["Wq"], rel=0.05)  # the exact M/D/5: the approximation is 4 % low


@pytest.mark.shared
def test_blocking_is_that_of_the_reference(cases):
    params, expected = cases["mmcc_erlangB"]
    blocked = erlang_b(params["c"], params["lam"] / params["mu"])

    assert (blocked, params["lam"] * (1 - blocked)) == (near(expected["P_block"]), near(expected["throughput"]))
