"""Small files in the forms of Hyperliquid's archives and of recorders of its interface, one of each kind."""

from __future__ import annotations

import gzip
import json

import lz4.frame

CONTEXTS = "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,impact_bid_px,impact_ask_px"
T0 = 1_760_129_400_000  # 2025-10-10 20:50
MINUTE = 60_000
ALICE, BOB, VAULT = ("0x" + letter * 40 for letter in "abc")


def write(path, *lines):
    """Write lines of text or objects, compressed as the path's ending says."""
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode()
    packers = {".gz": gzip.compress, ".lz4": lz4.frame.compress}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packers.get(path.suffix, bytes)(text))
    return path


def fill(coin="ETH", *, side="A", crossed=True, tid=7, px="1500.5", sz="2.0", time=T0, way="Close Long", liquidation=None):
    """One fill as the node writes it."""
    row = {
        "coin": coin, "px": px, "sz": sz, "side": side, "time": time, "startPosition": "2.0", "dir": way, "closedPnl": "-3.5",
        "hash": "0x922ada", "oid": 194018286846, "crossed": crossed, "fee": "0.1", "tid": tid, "feeToken": "USDC",
    }  # fmt: skip
    return row if liquidation is None else {**row, "liquidation": liquidation}


def liquidated(user, method="market"):
    """What a fill says of the liquidation that it was part of."""
    return {"liquidatedUser": user, "markPx": "1499.0", "method": method}


def block(*events, local_time="2025-10-10T20:50:00.250000001"):
    """One block of pairs of a user and a fill."""
    about = {"local_time": local_time, "block_time": "2025-10-10T20:50:00.000000001", "block_number": 758800641}
    return {**about, "events": [list(event) for event in events]}


def node_trade(**changes):
    """One trade of `node_trades`."""
    sides = [{"user": user, "start_pos": "1.0", "oid": 1, "twap_id": None, "cloid": None} for user in (ALICE, BOB)]
    trade = {
        "coin": "AAVE", "side": "B", "time": "2025-05-25T13:59:59.974190721", "px": "264.56", "sz": "0.06", "hash": "0x84a0",
        "trade_dir_override": "Na", "side_info": sides,
    }  # fmt: skip
    return {**trade, **changes}


def archived_book(time, bids, asks, *, coin="SOL", written="2025-10-10T20:50:00.100000000"):
    """One line of the archive's l2Book; bids, asks: pairs of price and size."""
    levels = [[{"px": str(px), "sz": str(sz), "n": 1} for px, sz in side] for side in (bids, asks)]
    raw = {"channel": "l2Book", "data": {"coin": coin, "time": time, "levels": levels}}
    return {"time": written, "ver_num": 1, "raw": raw}


def samples(folder):
    """Write one small file of each kind and return their paths by the names of the kinds."""
    taker, maker = fill(), fill(side="B", crossed=False, way="Open Long")
    forced = [{**one, "liquidation": liquidated(ALICE)} for one in (taker, maker)]
    return {
        "trades": write(
            folder / "trades_DOGE_20260613.jsonl.gz",
            {"ts": T0, "px": 0.25, "sz": 100.0, "side": "A"},
            {"ts": T0 + 5, "px": 0.26, "sz": 40.0, "side": "B"},
        ),
        "contexts": write(
            folder / "ctx_DOGE_20260613.jsonl.gz",
            {"ts": T0, "funding": 1.25e-05, "oi": 1000.0, "mark": 0.25, "oracle": 0.251},
            {"ts": T0 + MINUTE, "funding": -2e-06, "oi": 1100.0, "mark": 0.252, "oracle": 0.253},
        ),
        "l2": write(
            folder / "l2_DOGE_20260613.jsonl.gz",
            *2 * [{"ts": T0, "bids": [[99.99, 2.0], [99.0, 3.0]], "asks": [[100.01, 1.0], [101.0, 4.0]]}],
        ),
        "asset_ctxs": write(
            folder / "20251010.csv.lz4",
            CONTEXTS,
            "2025-10-10T20:50:00Z,BTC,0.0000125,31000.5,121000,1000,0.0001,116000,115900,115950,115940,115960",
            "2025-10-10T20:50:00Z,ETH,0.0000125,500000,4300,1000,,4000,3990,,,",
        ),
        "l2_book": write(folder / "SOL.lz4", archived_book(T0, [(99.99, 2), (99, 3)], [(100.01, 1), (101, 4)])),
        "node_trades": write(folder / "node_trades" / "13.lz4", node_trade(), node_trade(side="A", px="264.5")),
        "node_fills": write(folder / "node_fills" / "14.lz4", [ALICE, forced[0]], [BOB, forced[1]]),
        "node_fills_by_block": write(folder / "node_fills_by_block" / "20.lz4", block((ALICE, forced[0]), (BOB, forced[1])), block()),
    }
