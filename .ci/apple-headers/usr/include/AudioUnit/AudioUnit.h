#pragma once
#include <CoreAudio/CoreAudio.h>
struct AudioComponentDescription { OSType componentType; OSType componentSubType; OSType componentManufacturer; UInt32 componentFlags; UInt32 componentFlagsMask; }; typedef struct AudioComponentDescription AudioComponentDescription;
typedef struct OpaqueAudioComponent *AudioComponent; typedef struct OpaqueAudioComponentInstance *AudioComponentInstance; typedef AudioComponentInstance AudioUnit;
typedef UInt32 AudioUnitPropertyID, AudioUnitScope, AudioUnitElement, AudioUnitParameterID;
enum : UInt32 { kAudioUnitType_Output = 'auou', kAudioUnitManufacturer_Apple = 'appl', kAudioUnitSubType_HALOutput = 'ahal', kAudioUnitSubType_DefaultOutput = 'def ' };
enum AudioUnitRenderActionFlags : UInt32 { kAudioUnitRenderAction_PreRender = (1U << 2), kAudioUnitRenderAction_OutputIsSilence = (1U << 4) }; typedef enum AudioUnitRenderActionFlags AudioUnitRenderActionFlags;
enum : OSStatus { kAudioUnitErr_InvalidProperty = -10879, kAudioUnitErr_FailedInitialization = -10875, kAudioUnitErr_TooManyFramesToProcess = -10874, kAudioUnitErr_FormatNotSupported = -10868, kAudioUnitErr_Uninitialized = -10867, kAudioUnitErr_InvalidScope = -10866, kAudioUnitErr_Initialized = -10849 };
enum : AudioUnitScope { kAudioUnitScope_Global = 0, kAudioUnitScope_Input = 1, kAudioUnitScope_Output = 2 };
enum : AudioUnitPropertyID { kAudioUnitProperty_SampleRate = 2, kAudioUnitProperty_StreamFormat = 8, kAudioUnitProperty_MaximumFramesPerSlice = 14, kAudioUnitProperty_SetRenderCallback = 23, kAudioOutputUnitProperty_CurrentDevice = 2000, kAudioOutputUnitProperty_EnableIO = 2003, kAudioOutputUnitProperty_SetInputCallback = 2005 };
typedef OSStatus (*AURenderCallback)(void *inRefCon, AudioUnitRenderActionFlags *ioActionFlags, const AudioTimeStamp *inTimeStamp, UInt32 inBusNumber, UInt32 inNumberFrames, AudioBufferList *ioData);
struct AURenderCallbackStruct { AURenderCallback inputProc; void *inputProcRefCon; }; typedef struct AURenderCallbackStruct AURenderCallbackStruct;
extern AudioComponent AudioComponentFindNext(AudioComponent inComponent, const AudioComponentDescription *inDesc);
extern OSStatus AudioComponentInstanceNew(AudioComponent inComponent, AudioComponentInstance *outInstance);
extern OSStatus AudioComponentInstanceDispose(AudioComponentInstance inInstance);
extern OSStatus AudioUnitInitialize(AudioUnit inUnit); extern OSStatus AudioUnitUninitialize(AudioUnit inUnit);
extern OSStatus AudioUnitSetProperty(AudioUnit inUnit, AudioUnitPropertyID inID, AudioUnitScope inScope, AudioUnitElement inElement, const void *inData, UInt32 inDataSize);
extern OSStatus AudioUnitGetProperty(AudioUnit inUnit, AudioUnitPropertyID inID, AudioUnitScope inScope, AudioUnitElement inElement, void *outData, UInt32 *ioDataSize);
extern OSStatus AudioUnitRender(AudioUnit inUnit, AudioUnitRenderActionFlags *ioActionFlags, const AudioTimeStamp *inTimeStamp, UInt32 inOutputBusNumber, UInt32 inNumberFrames, AudioBufferList *ioData);
extern OSStatus AudioOutputUnitStart(AudioUnit ci); extern OSStatus AudioOutputUnitStop(AudioUnit ci);
