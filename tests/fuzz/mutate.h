// Changes to an input that parsers stumble over.
#ifndef RM_TESTS_FUZZ_MUTATE_H_
#define RM_TESTS_FUZZ_MUTATE_H_

#include <string>
#include <vector>

#include "base/random.h"

namespace rm::fuzz {

// Where mutations take their pieces from.
struct Corpus {
  std::vector<std::string> seeds;  // at least one
  std::vector<std::string> words;
  size_t bytes_max = 4096;
};

// A seed with one to eight changes, a pure function of corpus and stream: bits and bytes, numbers at
// the edges of their types, pieces lost, doubled, moved or taken from another seed, words.
[[nodiscard]] std::string Mutated(const Corpus& corpus, base::RandomStream& random);

}  // namespace rm::fuzz

#endif  // RM_TESTS_FUZZ_MUTATE_H_
