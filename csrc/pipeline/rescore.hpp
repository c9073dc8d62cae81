// A read with a prior over texts: the likeliest texts of the crop, their odds moved by the prior.
#pragma once

#include "pipeline/decode.hpp"

namespace lprfast::pipeline {

// Sets characters, raw_confidence and alternatives of a read that has its greedy text and that text's
// probability. Nothing changes where no text could overtake the greedy one.
void rescore(ScoresView posteriors, const DecodeSpec& spec, Read& read);

}  // namespace lprfast::pipeline
