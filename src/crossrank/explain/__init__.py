"""Why a score is what it is: attributions, attention, and a document's path through the stages."""
