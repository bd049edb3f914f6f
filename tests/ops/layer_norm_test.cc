#include "ops/layer_norm.h"

#include <gtest/gtest.h>
