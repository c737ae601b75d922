// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto: names for content, in hex.
#ifndef RM_BASE_SHA256_H_
#define RM_BASE_SHA256_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace rm::base {

// A running SHA-256, for what comes in pieces or does not fit in memory:
//
//   Sha256 hash;
//   while (…) hash.Update(piece);
//   manifest.Set("sha256", hash.HexDigest());
//
// Not thread-safe. Update any number of times, then HexDigest once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  // REQUIRES: HexDigest was not called.
  void Update(const void* data, size_t size);
  void Update(absl::string_view bytes) { Update(bytes.data(), bytes.size()); }

  // 64 lower-case hex digits. Ends the computation. REQUIRES: the first call.
  [[nodiscard]] std::string HexDigest();

 private:
  struct State;  // keeps OpenSSL's headers out of ours
  std::unique_ptr<State> state_;
};

// The digest of one text.
[[nodiscard]] std::string Sha256Hex(absl::string_view bytes);

// True for what HexDigest could have said: 64 digits, lower case, so that one content has one name.
// Such a text is safe as the name of a file: it leads nowhere else.
[[nodiscard]] bool IsSha256Hex(absl::string_view text);

}  // namespace rm::base

#endif  // RM_BASE_SHA256_H_
