#include "base/sha256.h"

#include <catch2/catch.hpp>

namespace rm::base {
namespace {

TEST_CASE("The example digests of FIPS 180-4 and of the NIST test vectors") {
  struct Case {
    std::string message;
    std::string digest;
  };
  const Case cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
       "lmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
      {"\xBD", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
      {std::string(64, '\0'), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
  };
  for (const Case& c : cases) CHECK(Sha256Hex(c.message) == c.digest);
}

TEST_CASE("A message may come in any pieces") {
  std::string message;
  for (int i = 0; i < 1000; ++i) message.push_back(static_cast<char>(i * 7));
  const std::string whole = Sha256Hex(message);
  constexpr size_t kPieces[] = {1, 2, 3, 63, 64, 65, 127, 128, 999, 1000};
  for (const size_t piece : kPieces) {
    Sha256 hash;
    for (size_t at = 0; at < message.size(); at += piece) {
      hash.Update(absl::string_view(message).substr(at, piece));
    }
    hash.Update("", 0);
    CAPTURE(piece);
    CHECK(hash.HexDigest() == whole);
  }
}

TEST_CASE("A digest is known by its form") {
  const std::string digest = Sha256Hex("abc");
  CHECK(IsSha256Hex(digest));
  CHECK_FALSE(IsSha256Hex(""));
  CHECK_FALSE(IsSha256Hex(digest.substr(1)));
  CHECK_FALSE(IsSha256Hex(digest + "0"));
  for (const char wrong : {'A', 'F', 'g', '/', ':', '.', ' ', '\0'}) {
    std::string text = digest;
    text[17] = wrong;
    CAPTURE(wrong);
    CHECK_FALSE(IsSha256Hex(text));
  }
}

TEST_CASE("Two running hashes do not disturb each other") {
  Sha256 a, b;
  a.Update("ab");
  b.Update("a");
  a.Update("c");
  b.Update("bc");
  CHECK(a.HexDigest() == b.HexDigest());
}

}  // namespace
}  // namespace rm::base
