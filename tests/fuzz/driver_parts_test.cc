// The driver must be able to fail: mutations really change inputs, and memory is really counted.
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/fuzz/live_bytes.h"
#include "tests/fuzz/mutate.h"

namespace rm::fuzz {
namespace {

const Corpus kCorpus = {{"the first seed", "another one, which is a little longer"}, {"WORD"}, 64};

TEST_CASE("a mutation is a function of its number alone") {
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{17}, uint64_t{5000}}) {
    base::RandomStream once(1, number), twice(1, number);
    CHECK(Mutated(kCorpus, once) == Mutated(kCorpus, twice));
  }
}

TEST_CASE("mutations differ, use the words, and keep the bound on the size") {
  std::set<std::string> seen;
  int with_word = 0, seeds = 0;
  for (uint64_t number = 0; number < 2000; ++number) {
    base::RandomStream random(1, number);
    const std::string input = Mutated(kCorpus, random);
    CHECK(input.size() <= kCorpus.bytes_max);
    with_word += input.find("WORD") != std::string::npos ? 1 : 0;
    seeds += input == kCorpus.seeds[0] || input == kCorpus.seeds[1] ? 1 : 0;
    seen.insert(input);
  }
  CHECK(seen.size() > 1500);
  CHECK(with_word > 200);
  CHECK(seeds < 100);
}

TEST_CASE("an empty seed and no words are enough to begin with") {
  const Corpus bare = {{""}, {}, 64};
  std::set<std::string> seen;
  for (uint64_t number = 0; number < 200; ++number) {
    base::RandomStream random(1, number);
    seen.insert(Mutated(bare, random));
  }
  CHECK(seen.size() > 50);
}

TEST_CASE("the peak of the heap is seen, also when it was only there for a moment") {
  StartCounting();
  CHECK(PeakBytes() == 0);
  std::make_unique<std::vector<char>>(5'000'000)->front() = 1;
  CHECK(PeakBytes() >= 5'000'000);
  CHECK(PeakBytes() < 6'000'000);
  StartCounting();
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.emplace_back(10'000, 'x');
  CHECK(PeakBytes() >= 1'000'000);
}

}  // namespace
}  // namespace rm::fuzz
