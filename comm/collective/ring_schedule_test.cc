#include "comm/collective/ring_schedule.h"

#include <catch2/catch.hpp>

#include <cstddef>
#include <set>
#include <vector>

namespace rm::comm {
namespace {

TEST_CASE("three ranks send, receive, add and keep as the header shows") {
  struct Row {
    int rank, hop, send, receive;
    bool reduce;
  };
  const std::vector<Row> table = {
      {0, 0, 0, 2, true},  {0, 1, 2, 1, true},  {0, 2, 1, 0, false}, {0, 3, 0, 2, false},
      {1, 0, 1, 0, true},  {1, 1, 0, 2, true},  {1, 2, 2, 1, false}, {1, 3, 1, 0, false},
      {2, 0, 2, 1, true},  {2, 1, 1, 0, true},  {2, 2, 0, 2, false}, {2, 3, 2, 1, false},
  };
  CHECK(RingHops(3) == 4);
  for (const Row& row : table) {
    INFO("rank " << row.rank << " hop " << row.hop);
    const RingHop hop = RingHopOf(row.rank, 3, row.hop);
    CHECK(hop.send_chunk == row.send);
    CHECK(hop.receive_chunk == row.receive);
    CHECK(hop.reduce == row.reduce);
  }
}

TEST_CASE("what a rank sends is what the next one receives, and what it received a hop before") {
  for (int n = 1; n <= 9; ++n) {
    for (int hop = 0; hop < RingHops(n); ++hop) {
      for (int rank = 0; rank < n; ++rank) {
        const RingHop now = RingHopOf(rank, n, hop);
        CHECK(now.send_chunk == RingHopOf((rank + 1) % n, n, hop).receive_chunk);
        if (hop > 0) CHECK(now.send_chunk == RingHopOf(rank, n, hop - 1).receive_chunk);
      }
    }
  }
}

// Which ranks' parts are in the chunk that each rank holds: parts[rank][chunk].
using Parts = std::vector<std::vector<std::set<int>>>;

Parts OwnParts(int n) {
  Parts parts(static_cast<size_t>(n), std::vector<std::set<int>>(static_cast<size_t>(n)));
  for (int rank = 0; rank < n; ++rank) {
    for (auto& chunk : parts[static_cast<size_t>(rank)]) chunk = {rank};
  }
  return parts;
}

// Every rank does one hop at the same time. Fails when a part would be added twice.
void DoHop(int n, int hop, Parts& parts) {
  const Parts before = parts;
  for (int rank = 0; rank < n; ++rank) {
    const RingHop now = RingHopOf(rank, n, hop);
    const size_t chunk = static_cast<size_t>(now.receive_chunk);
    const std::set<int>& received = before[static_cast<size_t>((rank + n - 1) % n)][chunk];
    std::set<int>& own = parts[static_cast<size_t>(rank)][chunk];
    if (!now.reduce) own.clear();
    for (const int part : received) CHECK(own.insert(part).second);
  }
}

TEST_CASE("after all hops every rank holds every part of every chunk, once") {
  for (int n = 1; n <= 9; ++n) {
    INFO(n << " ranks");
    Parts parts = OwnParts(n);
    for (int hop = 0; hop < RingHops(n); ++hop) {
      DoHop(n, hop, parts);
      if (hop != n - 2) continue;
      // The reduce-scatter is over: rank r owns the complete chunk r + 1.
      for (int rank = 0; rank < n; ++rank) {
        CHECK(parts[static_cast<size_t>(rank)][static_cast<size_t>((rank + 1) % n)].size() ==
              static_cast<size_t>(n));
      }
    }
    for (const auto& rank : parts) {
      for (const auto& chunk : rank) CHECK(chunk.size() == static_cast<size_t>(n));
    }
  }
}

TEST_CASE("every chunk visits every rank in the first hops, and again in the last ones") {
  for (int n = 2; n <= 9; ++n) {
    for (int chunk = 0; chunk < n; ++chunk) {
      std::set<int> added;
      std::set<int> kept;
      for (int hop = 0; hop < RingHops(n); ++hop) {
        for (int rank = 0; rank < n; ++rank) {
          const RingHop now = RingHopOf(rank, n, hop);
          if (now.receive_chunk == chunk) (now.reduce ? added : kept).insert(rank);
        }
      }
      // All but the one where it begins.
      CHECK(added.size() == static_cast<size_t>(n - 1));
      CHECK(kept.size() == static_cast<size_t>(n - 1));
    }
  }
}

TEST_CASE("chunks are equal parts, rounded up to 16 elements") {
  struct Row {
    int64_t elements;
    int n, chunk;
    Range range;
  };
  const std::vector<Row> table = {
      {0, 3, 0, {0, 0}},    {0, 3, 2, {0, 0}},   {1, 3, 0, {0, 1}},   {1, 3, 1, {1, 1}},
      {32, 2, 0, {0, 16}},  {32, 2, 1, {16, 32}}, {33, 2, 0, {0, 32}}, {33, 2, 1, {32, 33}},
      {100, 3, 0, {0, 48}}, {100, 3, 1, {48, 96}}, {100, 3, 2, {96, 100}},
  };
  for (const Row& row : table) {
    INFO(row.elements << " elements, " << row.n << " ranks, chunk " << row.chunk);
    CHECK(ChunkOf(row.elements, row.n, row.chunk) == row.range);
  }
}

TEST_CASE("chunks and their segments cover every element once, in order") {
  for (int n = 1; n <= 9; ++n) {
    for (const int64_t elements : {0, 1, 15, 16, 17, 127, 1000, 4099}) {
      for (const int64_t segment_elements : {1, 7, 16, 100, 10000}) {
        int64_t covered = 0;
        for (int chunk = 0; chunk < n; ++chunk) {
          const Range range = ChunkOf(elements, n, chunk);
          CHECK(range.begin == covered);
          for (int64_t s = 0; s < SegmentCount(range, segment_elements); ++s) {
            const Range segment = SegmentOf(range, segment_elements, s);
            CHECK(segment.begin == covered);
            CHECK(segment.size() > 0);
            CHECK(segment.size() <= segment_elements);
            covered = segment.end;
          }
          CHECK(covered == range.end);
        }
        CHECK(covered == elements);
      }
    }
  }
}

// All segments of a walk: hop, segment, range.
struct Visit {
  int hop;
  int64_t segment;
  Range range;
  friend bool operator==(const Visit& a, const Visit& b) {
    return a.hop == b.hop && a.segment == b.segment && a.range == b.range;
  }
};

std::vector<Visit> Walk(const RingWalk& walk) {
  std::vector<Visit> visits;
  for (RingCursor cursor(walk); !cursor.done(); cursor.Advance()) {
    CHECK(cursor.count() == static_cast<int64_t>(visits.size()));
    CHECK(cursor.IsPast(cursor.hop(), cursor.segment()) == false);
    if (cursor.segment() > 0) CHECK(cursor.IsPast(cursor.hop(), cursor.segment() - 1));
    if (cursor.hop() > 0) CHECK(cursor.IsPast(cursor.hop() - 1, 1 << 30));
    visits.push_back({cursor.hop(), cursor.segment(), cursor.range()});
  }
  return visits;
}

TEST_CASE("a walk goes hop by hop, segment by segment, over chunks that are not empty") {
  // 40 elements, 3 ranks: chunks [0, 16), [16, 32), [32, 40). Rank 0 sends 0, 2, 1, 0.
  const std::vector<Visit> expected = {{0, 0, {0, 10}},  {0, 1, {10, 16}}, {1, 0, {32, 40}},
                                       {2, 0, {16, 26}}, {2, 1, {26, 32}}, {3, 0, {0, 10}},
                                       {3, 1, {10, 16}}};
  CHECK(Walk({40, 3, 0, RingSide::kSend, 10}) == expected);
  // 5 elements are all in chunk 0; rank 1 never receives the other two.
  const std::vector<Visit> small = {{0, 0, {0, 5}}, {3, 0, {0, 5}}};
  CHECK(Walk({5, 3, 1, RingSide::kReceive, 10}) == small);
  CHECK(Walk({0, 3, 1, RingSide::kSend, 10}).empty());
  CHECK(Walk({100, 1, 0, RingSide::kSend, 10}).empty());
}

TEST_CASE("what one rank sends, in order, is what the next one receives") {
  for (int n = 1; n <= 9; ++n) {
    for (const int64_t elements : {0, 1, 17, 100, 1000, 1009}) {
      for (int rank = 0; rank < n; ++rank) {
        CHECK(Walk({elements, n, rank, RingSide::kSend, 33}) ==
              Walk({elements, n, (rank + 1) % n, RingSide::kReceive, 33}));
      }
    }
  }
}

// Ranks that send at most `ahead` more segments than they have received, and only what they have.
struct PacedRank {
  RingCursor sends;
  RingCursor receives;
};

TEST_CASE("a ring that keeps step never stands still before all is done") {
  for (int n = 2; n <= 9; ++n) {
    for (const int64_t elements : {1, 16, 17, 100, 333, 1000}) {
      for (const int64_t ahead : {1, 2, 3}) {
        INFO(n << " ranks, " << elements << " elements, " << ahead << " ahead");
        std::vector<PacedRank> ranks;
        for (int rank = 0; rank < n; ++rank) {
          ranks.push_back({RingCursor({elements, n, rank, RingSide::kSend, 10}),
                           RingCursor({elements, n, rank, RingSide::kReceive, 10})});
        }
        bool moved = true;
        while (moved) {
          moved = false;
          for (size_t r = 0; r < ranks.size(); ++r) {
            PacedRank& self = ranks[r];
            const PacedRank& previous = ranks[(r + ranks.size() - 1) % ranks.size()];
            if (!self.receives.done() && previous.sends.count() > self.receives.count()) {
              self.receives.Advance();
              moved = true;
            }
            if (!self.sends.done() && RingMaySend(self.sends, self.receives, ahead)) {
              self.sends.Advance();
              moved = true;
            }
          }
        }
        for (const PacedRank& rank : ranks) {
          CHECK(rank.sends.done());
          CHECK(rank.receives.done());
        }
      }
    }
  }
}

}  // namespace
}  // namespace rm::comm
