// Rewrites around products of matrices; fusion.h says what each does.
#ifndef RM_RUNTIME_GRAPH_FUSION_PRODUCTS_H_
#define RM_RUNTIME_GRAPH_FUSION_PRODUCTS_H_

#include "runtime/graph/types.h"

namespace rm::graph {

// A product reads what a Transpose of the last two dimensions read, and says so by transA or
// transB; a Transpose of a product's result becomes the product of the operands in reverse.
void FuseTransposesIntoProducts(TypedGraph* typed);

// A product by a constant number, before or behind a product of matrices, becomes its alpha.
void FuseScalarsIntoProducts(TypedGraph* typed);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_FUSION_PRODUCTS_H_
