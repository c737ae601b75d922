#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <iterator>

namespace rm::fuzz {
namespace {

// Below `bound`, and 0 where there is nothing to choose from.
size_t Below(base::RandomStream& random, size_t bound) {
  return bound == 0 ? 0 : static_cast<size_t>(random.NextBelow(bound));
}

// Numbers at which types end, counts overflow, and files have other files' magic.
constexpr uint64_t kEdges[] = {0,
                               1,
                               0x7F,
                               0x80,
                               0xFF,
                               0x100,
                               0x7FFF,
                               0xFFFF,
                               0x10000,
                               0x7FFFFFFF,
                               0x80000000,
                               0xFFFFFFFF,
                               0x7FFFFFFFFFFFFFFF,
                               0x8000000000000000,
                               0xFFFFFFFFFFFFFFFF};

// An edge in one, two, four or eight bytes, of either byte order.
std::string EdgeNumber(base::RandomStream& random) {
  const uint64_t edge = kEdges[Below(random, std::size(kEdges))];
  std::string bytes;
  for (size_t i = size_t{1} << Below(random, 4); i > 0; --i) {
    bytes += static_cast<char>(edge >> (8 * (i - 1)));
  }
  if (Below(random, 2) == 0) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

std::string Word(const Corpus& corpus, base::RandomStream& random) {
  return corpus.words.empty() ? EdgeNumber(random)
                              : corpus.words[Below(random, corpus.words.size())];
}

// A piece of some seed.
std::string Piece(const Corpus& corpus, base::RandomStream& random) {
  const std::string& seed = corpus.seeds[Below(random, corpus.seeds.size())];
  return seed.substr(Below(random, seed.size()), 1 + Below(random, 64));
}

// `piece` over what stands at `at`, as far as there is something.
void Overwrite(std::string& input, size_t at, const std::string& piece) {
  for (size_t i = 0; i < piece.size() && at + i < input.size(); ++i) input[at + i] = piece[i];
}

void Change(const Corpus& corpus, base::RandomStream& random, std::string& input) {
  const size_t at = Below(random, input.size() + 1);
  const size_t length = 1 + Below(random, 16);
  switch (Below(random, 10)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << Below(random, 8)));
      return;
    case 1:
      return Overwrite(input, at, std::string(1, static_cast<char>(random.NextBits())));
    case 2: return Overwrite(input, at, EdgeNumber(random));
    case 3: input.erase(at, length); return;
    case 4: input.erase(at); return;  // the rest did not arrive
    case 5: input.insert(at, input.substr(Below(random, input.size()), length)); return;
    case 6: input.insert(at, Piece(corpus, random)); return;
    case 7: return Overwrite(input, at, Piece(corpus, random));
    case 8:
      input.insert(at, std::string(length * length, static_cast<char>(random.NextBits())));
      return;
    default: input.insert(at, Word(corpus, random)); return;
  }
}

}  // namespace

std::string Mutated(const Corpus& corpus, base::RandomStream& random) {
  std::string input = corpus.seeds[Below(random, corpus.seeds.size())];
  // Mostly few: an input with many changes is refused at the first of them.
  for (size_t changes = 1 + Below(random, 1 + Below(random, 8)); changes > 0; --changes) {
    Change(corpus, random, input);
  }
  if (input.size() > corpus.bytes_max) input.resize(corpus.bytes_max);
  return input;
}

}  // namespace rm::fuzz
