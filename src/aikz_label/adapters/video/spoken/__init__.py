"""The notice that is spoken over the sound of a film, for those who listen and do not look.

    tracks      where the packets of each sound lie, and the same film with others in their places
    opening     the packets that a notice goes into
    codings     how they are coded, and coded anew; a module for each codec
    speaking    which sounds get a notice, composed, mixed over a programme that is turned down
    proving     nothing else of the film changed, and the notice is heard

Only packets from the start of a sound until its notice has ended are coded again. All others are copied, and every one
keeps its time.
"""
